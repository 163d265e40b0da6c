# Shared by the scripts: what the machine needs, installed once. Source it.
set -eu
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "scripts: need root or sudo for: $*" >&2
    exit 1
  fi
}

# need_packages NAME...: Debian packages, installed when missing.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "Installing: ${missing[*]}" >&2
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

setup_build() {
  need_packages build-essential cmake ninja-build pkg-config libh2o-evloop-dev libssl-dev libsodium-dev \
    libsqlite3-dev libjsmn-dev libarchive-dev libyaml-dev libpcre2-dev zlib1g-dev ca-certificates curl
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    need_packages nodejs npm
  fi
}

# npm_install FOLDER: its node_modules, when the lock file is newer than they are.
npm_install() {
  local dir=$1
  [ "$dir/node_modules/.puddle-installed" -nt "$dir/package-lock.json" ] && return 0
  echo "Installing npm packages of $dir" >&2
  (cd "$dir" && npm ci --no-audit --no-fund --loglevel=error >&2)
  touch "$dir/node_modules/.puddle-installed"
}

# build PRESET FOLDER TARGET...
build() {
  local preset=$1 dir=$2
  shift 2
  cmake --preset "$preset" >"/tmp/puddle-cmake-$$.log" 2>&1 || { cat "/tmp/puddle-cmake-$$.log" >&2; exit 1; }
  rm -f "/tmp/puddle-cmake-$$.log"
  ninja -C "$dir" --quiet "$@" >&2
}
