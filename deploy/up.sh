#!/bin/sh
# Starts the gateway with Prometheus and Grafana, and makes their keys the first time. Run again, it updates what runs.
#
#   deploy/up.sh [cuda|vulkan] [seal|cloud]
#
# cuda: an NVIDIA card; vulkan: another maker's; seal: a container of its own has the clouds' keys and the way
# to the internet; cloud: the gateway itself has them.
set -eu
cd "$(dirname "$0")"

files="-f compose.yaml"
sealed=
for word in "$@"; do
    case $word in
        cuda) files="$files -f compose.gpu.yaml" ;;
        vulkan)
            files="$files -f compose.vulkan.yaml"
            card=$(find /dev/dri -name 'renderD*' 2>/dev/null | sort | head -n 1)
            [ -n "${RENDER_GROUP:-}${card}" ] || { echo "There is no card: /dev/dri has no renderD128." >&2; exit 1; }
            RENDER_GROUP=${RENDER_GROUP:-$(stat -c %g "$card")}
            export RENDER_GROUP
            ;;
        cloud) files="$files -f compose.cloud.yaml" ;;
        seal)
            files="$files -f compose.seal.yaml"
            sealed=yes
            ;;
        *) echo "up.sh knows 'cuda', 'vulkan', 'seal' and 'cloud', and not '$word'." >&2; exit 2 ;;
    esac
done

random() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }
make() { [ -s "$2" ] || (umask "$1"; printf '%s\n' "$3" > "$2.new" && mv "$2.new" "$2"); }

make 077 aduana.env "APPS_API_KEY=$(random 32)"
make 077 grafana.env "GF_SECURITY_ADMIN_PASSWORD=$(random 16)"
# Two users in two containers read it. It opens /metrics, and nothing else.
make 022 metrics-key "$(random 32)"
# So do these two: one user in two containers. It opens nothing without the socket that they share.
if [ -n "$sealed" ]; then
    make 022 egress-key "$(random 32)"
    make 077 egress.env "# The clouds' keys, as OPENAI_API_KEY=sk-…"
fi

# shellcheck disable=SC2086 # words
docker compose $files up --build --detach

cat <<END
The gateway: http://127.0.0.1:8484/v1   (its key: $(pwd)/aduana.env)
Grafana:     http://127.0.0.1:3000      (user admin, password: $(pwd)/grafana.env)
Its log:     docker compose $files logs --follow aduana
END
