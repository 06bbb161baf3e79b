#!/usr/bin/env bash
# Makes the certificates that tests of TLS use, with the openssl command: make_certificates.sh FOLDER
#
# ca.pem, its crl.pem and other-ca.pem; NAME.crt and NAME.key for each server and client below; good.ocsp and revoked.ocsp
# are answers about staple.crt.
set -euo pipefail
cd "$1"
exec 2>openssl.log

authority() {
  local name=$1
  mkdir -p "$name/issued"
  : >"$name/index.txt"
  echo 1000 >"$name/serial"
  echo 01 >"$name/crlnumber"
  cat >"$name.cnf" <<END
[ca]
default_ca = here
[here]
dir = $name
database = $name/index.txt
new_certs_dir = $name/issued
serial = $name/serial
crlnumber = $name/crlnumber
certificate = $name.pem
private_key = $name.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
END
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.pem" -days 3650 \
    -subj "/CN=$name" -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"
}

# AUTHORITY NAME KEY-OPTIONS EXTENSIONS [OPTIONS OF openssl ca...]
issue() {
  local by=$1 name=$2 key=$3 extensions=$4
  shift 4
  # shellcheck disable=SC2086
  openssl req -new $key -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=${CN:-$name}"
  printf '%b' "$extensions" >"$name.ext"
  openssl ca -batch -notext -config "$by.cnf" -in "$name.csr" -out "$name.crt" -extfile "$name.ext" "$@"
}

p256="-newkey ec -pkeyopt ec_paramgen_curve:P-256"
p384="-newkey ec -pkeyopt ec_paramgen_curve:P-384"
rsa="-newkey rsa:2048"
server="extendedKeyUsage=serverAuth\n"
client="extendedKeyUsage=clientAuth\n"

authority ca
authority other-ca
issue ca git-ecdsa "$p256" "${server}subjectAltName=DNS:git.example.com,DNS:*.git.example.com,IP:127.0.0.1"
issue ca git-rsa "$rsa" "${server}subjectAltName=DNS:git.example.com"
issue ca p384 "$p384" "${server}subjectAltName=DNS:p384.example.com"
issue ca rsa-only "$rsa" "${server}subjectAltName=DNS:old.example.com"
issue ca wildcard "$p256" "${server}subjectAltName=DNS:*.example.net"
issue ca ed25519 "-newkey ed25519" "${server}subjectAltName=DNS:ed.example.com"
issue ca expired "$p256" "${server}subjectAltName=DNS:git.example.com" -startdate 20200101000000Z -enddate 20200201000000Z
issue ca future "$p256" "${server}subjectAltName=DNS:git.example.com" -startdate 20900101000000Z -enddate 20910101000000Z
issue other-ca stranger "$p256" "${server}subjectAltName=DNS:git.example.com"
CN="runner 7" issue ca runner "$p256" "${client}subjectAltName=URI:spiffe://ci/runner/7,email:ci@example.com,DNS:Runner7.example.com"
issue ca revoked "$p256" "${client}subjectAltName=DNS:revoked.example.com"
issue other-ca strange-runner "$p256" "${client}subjectAltName=DNS:runner.example.com"
openssl ca -config ca.cnf -revoke revoked.crt
openssl ca -config ca.cnf -gencrl -out crl.pem

issue ca staple "$p256" "${server}subjectAltName=DNS:staple.example.com\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:9/"
# FILE OPTIONS...
answer() {
  local file=$1
  shift
  openssl ocsp -issuer ca.pem -cert staple.crt -reqout staple.req -no_nonce
  openssl ocsp -index ca/index.txt -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin staple.req -respout "$file" "$@"
}
answer good.ocsp -ndays 7
openssl ca -config ca.cnf -revoke staple.crt
answer revoked.ocsp -ndays 7
