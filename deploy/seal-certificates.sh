#!/bin/sh
# Makes what a gateway and an egress process on another machine know each other by (docs/seal.md), with openssl:
#
#   deploy/seal-certificates.sh HOST [FOLDER]
#
# HOST: the name or address under which the gateway finds the egress process. Run again with the same folder, it makes
# new certificates by the same authority: whoever has ca.key can do so, and nobody else. Keep it as you keep passwords.
set -eu
[ $# -ge 1 ] || { echo "Say by which name the gateway finds the egress process: $0 egress" >&2; exit 2; }
host=$1
folder=${2:-seal}
umask 077
mkdir -p "$folder"
cd "$folder"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
asked() { openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"; }
signed() { openssl x509 -req -in "$1.csr" -days 730 -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -extfile "$1.ext" -out "$1.crt"; }

if [ ! -s ca.key ]; then
    key ca.key
    asked ca "Aduana, the seal"
    printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n' > ca.ext
    openssl x509 -req -in ca.csr -days 3650 -signkey ca.key -extfile ca.ext -out ca.crt
fi
[ -s seal.key ] || openssl rand -hex 32 > seal.key

case $host in
    *:* | *[0-9].*[0-9].*[0-9].*[0-9]) named="IP:$host" ;;
    *) named="DNS:$host" ;;
esac
# Neither can be taken for the other.
printf 'extendedKeyUsage=critical,serverAuth\nauthorityKeyIdentifier=keyid\nsubjectAltName=%s\n' "$named" > egress.ext
printf 'extendedKeyUsage=critical,clientAuth\nauthorityKeyIdentifier=keyid\n' > gateway.ext
for side in egress gateway; do
    key "$side.key"
    asked "$side" "$side"
    signed "$side"
done
rm -f -- *.csr *.ext
