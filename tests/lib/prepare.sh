# shellcheck shell=bash
# Sourced by ./run-tests and ./quickstart, with source_dir set: installs what lpalias needs on
# Debian 12 and Ubuntu 24.04, and configures build directories.

# "a|b" is content with either and installs a.
BUILD_PACKAGES=(
    gcc libc6-dev meson ninja-build "pkgconf|pkg-config" python3
    libcmocka-dev libconfuse-dev "libcurl4-openssl-dev|libcurl4-gnutls-dev" libevent-dev
    libidn2-dev libjansson-dev liblmdb-dev libseccomp-dev libsodium-dev libsystemd-dev libunbound-dev nettle-dev
)
# shellcheck disable=SC2034
QUICKSTART_PACKAGES=("${BUILD_PACKAGES[@]}" postfix)
TEST_PACKAGES=(
    "${BUILD_PACKAGES[@]}" build-essential git postfix postfix-lmdb sasl2-bin libsasl2-modules zsh openssl faketime gdb strace
    python3-jsonschema python3-launchpadlib knot ca-certificates debhelper groff-base lintian mandoc systemd
    python3-selenium python3-openid python3-openid-teams prometheus python3-prometheus-client
    apache2-bin curl nginx-light
)
# Ubuntu has Chromium as a snap only, and those do not run everywhere that tests do.
if grep -qx ID=debian /etc/os-release; then
    TEST_PACKAGES+=(chromium chromium-driver)
    command -v npm >/dev/null || TEST_PACKAGES+=(npm)
fi
# shellcheck disable=SC2034
FULL_PACKAGES=("${TEST_PACKAGES[@]}" clang libclang-rt-dev valgrind)

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# The missing ones of the packages named, one a line.
missing_packages() {
    local choice name
    for choice in "$@"; do
        for name in ${choice//|/ }; do
            is_installed "$name" && continue 2
        done
        echo "${choice%%|*}"
    done
}

# The package of another mail server. apt-get would remove it in favour of postfix.
other_mail_server() {
    # shellcheck disable=SC2016
    dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\n' |
        awk '$1 == "installed" && $2 != "postfix" && / mail-transport-agent/ { print $2; exit }'
}

# Runs a command with its output in a file, which is shown only if the command fails.
quietly() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null || { tail -n 60 "$log" >&2; return 1; }
}

# sudo may ask for a password where there is a terminal to ask on.
as_root() {
    if ((EUID == 0)); then
        "$@"
    elif { : </dev/tty; } 2>/dev/null; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Installs what is missing of the packages named; calls no apt-get when nothing is. Removes no
# package, asks nothing, and a Postfix that comes new gets no configuration, so it does not run.
# Status 1: something that cannot be done without is still missing (not postfix: ask for it).
install_missing() {
    local missing other log
    mapfile -t missing < <(missing_packages "$@")
    if [[ " ${missing[*]} " == *" postfix "* ]]; then
        other=$(other_mail_server)
        if [[ -n $other ]]; then
            echo "Not installing postfix: the mail server $other would have to go." >&2
            mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx postfix)
        fi
    fi
    ((${#missing[@]} > 0)) || return 0
    echo "Installing with apt-get: ${missing[*]}"
    if ((EUID != 0)) && ! { command -v sudo >/dev/null && as_root true; }; then
        echo "That needs root or sudo. By hand: apt-get install ${missing[*]}" >&2
        return 1
    fi
    log=$(mktemp)
    quietly "$log" as_root apt-get -q update || return 1
    if [[ " ${missing[*]} " == *" postfix "* ]]; then
        echo "postfix postfix/main_mailer_type select No configuration" |
            as_root debconf-set-selections || return 1
    fi
    quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        install --no-install-recommends --no-remove "${missing[@]}" || return 1
    rm -f "$log"
}

# Puts axe-core, which Debian does not have, into DIRECTORY/axe; status 1 if that is not possible.
install_axe() {
    local from=${source_dir:?}/tests/portal into=$1/axe
    cmp -s "$from/package-lock.json" "$into/package-lock.json" &&
        [[ -f $into/node_modules/axe-core/axe.min.js ]] && return 0
    command -v npm >/dev/null || return 1
    mkdir -p "$into"
    cp "$from/package.json" "$from/package-lock.json" "$into"
    quietly "$into/npm.log" env npm_config_omit_lockfile_registry_resolved=true \
        npm --prefix "$into" ci --ignore-scripts --no-audit --no-fund
}

# configure DIRECTORY [OPTION...]; one that was made for another tree or by another meson is wiped.
configure() {
    local directory=$1 log
    shift
    mkdir -p "$directory" 2>/dev/null || true
    if [[ ! -w $directory ]]; then
        echo "cannot write to $directory; -b chooses another directory" >&2
        return 1
    fi
    log=$(mktemp)
    if [[ -f $directory/build.ninja ]]; then
        meson setup --reconfigure "$@" "$directory" "${source_dir:?}" >"$log" 2>&1 </dev/null ||
            quietly "$log" meson setup --wipe "$@" "$directory" "${source_dir:?}" || return 1
    else
        quietly "$log" meson setup "$@" "$directory" "${source_dir:?}" || return 1
    fi
    rm -f "$log"
}
