// What files look like from outside, to see whether they are still those that were read.
#pragma once

#include <string>
#include <vector>

namespace breakwater::app {

// Of `files`, and of all that lies in `folder` ("": none): which file each is, when it last changed and how
// large it is. Links are followed, wherever on the way they stand. Equal to an earlier look unless one was
// written to, or replaced, or is there or gone now. (A file that is written to within the kernel's tick, some
// milliseconds, of the look itself may look the same: so look twice before you believe it.)
std::string look_of(const std::string& folder, const std::vector<std::string>& files);

}  // namespace breakwater::app
