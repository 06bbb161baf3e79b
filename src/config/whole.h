// What can only be judged when the whole file is known.
#pragma once

#include "config/draft.h"

namespace breakwater::config {

// Reports what is missing, and names and addresses that do not fit together; fills in what follows from
// other tables.
void check_whole(Draft& draft);

}  // namespace breakwater::config
