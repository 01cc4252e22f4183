# What kernel/vm/build and kernel/vm/fetch share. Sourced by bash.
# shellcheck shell=bash disable=SC2034  # the cache is theirs

cache=${XDG_CACHE_HOME:-$HOME/.cache}/heapwire/kernel

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }
hash() { sha256sum | cut -c1-16; }
usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$1"; }

trap 'say "stopped; what is done so far is kept"; exit 130' INT

# The packages, by Debian's names, of the programs that are not there: PROGRAM:PACKAGE...
missing_programs() {
    local pair
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || printf '%s ' "${pair##*:}"
    done
}

# Install packages, which are one argument, if this runs as root, else name them.
need_packages() {
    local missing=${1% } instead=${2:-}
    [[ -n $missing ]] || return 0
    if ! command -v apt-get >/dev/null; then
        die "missing (by Debian's names): $missing$instead"
    elif ((EUID)); then
        die "missing: $missing
    install with: sudo apt-get install --no-install-recommends $missing$instead"
    fi
    say "installing $missing"
    apt-get update -q >&2 || say "apt-get update failed; trying with the lists that are here"
    # shellcheck disable=SC2086  # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 ||
        die "apt-get could not install: $missing$instead"
}

# One at a time writes to the cache; what another has made meanwhile is used.
lock_cache() {
    mkdir -p "$cache"
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another build"; flock 9; }
}

# Keep the five youngest of the cache's entries with this beginning; a .dtb goes with its image.
keep_latest() {
    find "$cache" -maxdepth 1 -name "$1-*" -not -name '*.dtb' -printf '%T@ %p\n' | sort -rn |
        tail -n +6 | cut -d' ' -f2- | xargs -r -d '\n' -I{} rm -rf {} {}.dtb
}
