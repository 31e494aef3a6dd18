#!/usr/bin/env bash
# Installs the program that the action runs, and sets its path as the output `path`: the one that `binary` names, one
# built from the action's source, or one from the archive of a release, whose SHA-256 must match the sum that is
# committed beside the action. Nothing from an archive runs before that.
set -euo pipefail

refuse() { # WHAT HELP: one line of the log, whatever an input contains, and the outputs of an error.
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '::error title=akit::%s\n' "$text"
  printf 'help: %s\n' "$2" >&2
  printf 'verdict=error\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  exit 2
}

# Git's bash on Windows reads paths with slashes.
slashed() { printf '%s' "${1//\\//}"; }

found() { # PATH: checks the program and reports where it is.
  local path=$1 version
  # Other Windows programs do not understand Git bash's /c/… paths.
  if command -v cygpath >/dev/null; then path=$(cygpath -m "$path"); fi
  # A line break could set an output of its own.
  case $path in *[$'\r\n']*) refuse 'the path of the program contains a line break' 'set `binary` to another path' ;; esac
  version=$("$path" --version) || refuse "the program does not run: $path" "check that it was built for $RUNNER_OS $RUNNER_ARCH"
  printf '%s from %s\n' "$version" "$path"
  printf 'path=%s\n' "$path" >>"$GITHUB_OUTPUT"
}

sum_of() { # FILE: its SHA-256 in hexadecimal; macOS has no sha256sum.
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi | cut -d ' ' -f 1
}

action=$(slashed "$ACTION_PATH")
temporary=$(slashed "$RUNNER_TEMP")

if [ -n "$INPUT_BINARY" ]; then
  case $INPUT_BINARY in
    *[/\\]*) path=$(slashed "$INPUT_BINARY") ;;
    *) path=$(command -v "$INPUT_BINARY" || printf '%s' "$INPUT_BINARY") ;;
  esac
  # Relative paths start from the workspace, so they mean the same file from any working directory.
  case $path in /* | ?:/*) ;; *) path=$(slashed "$GITHUB_WORKSPACE")/$path ;; esac
  [ -f "$path" ] || refuse "there is no program $INPUT_BINARY" 'set `binary` to a path from the workspace, or to a name on PATH'
  found "$path"
  exit
fi

exe=''
case $RUNNER_OS-$RUNNER_ARCH in
  Linux-X64) target=x86_64-unknown-linux-musl ;;
  Linux-ARM64) target=aarch64-unknown-linux-musl ;;
  macOS-X64) target=x86_64-apple-darwin ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  Windows-X64) target=x86_64-pc-windows-msvc exe=.exe ;;
  Windows-ARM64) target=aarch64-pc-windows-msvc exe=.exe ;;
  *) target='' ;;
esac

case $INPUT_BUILD in
  true | false | '') ;;
  *) refuse "the input build must be true or false, not $INPUT_BUILD" 'remove it to download a release' ;;
esac
if [ "$INPUT_BUILD" = true ]; then
  command -v cargo >/dev/null || refuse 'there is no Rust toolchain to build akit with' 'install one first, or remove `build: true`'
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$temporary/akit-build}
  cargo build --profile dist --locked --bin akit --manifest-path "$action/Cargo.toml" ||
    refuse 'akit cannot be built from the source of the action' 'install a C compiler, and Rust as new as `rust-version` in Cargo.toml'
  found "$(slashed "$CARGO_TARGET_DIR")/dist/akit$exe"
  exit
fi

[ -n "$target" ] || refuse "there is no release of akit for $RUNNER_OS $RUNNER_ARCH" 'set `binary`, or `build: true`'
own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$action/Cargo.toml" | head -n 1)
case ${ACTION_REF:-} in
  v[0-9]*.[0-9]*.[0-9]*)
    [ "${ACTION_REF#v}" = "$own" ] || refuse "the action at $ACTION_REF has the version $own" 'use another tag, or a commit: this tag was moved or made by hand' ;;
esac
version=${INPUT_VERSION:-$own}
version=${version#v}
archive=akit-$version-$target.tar.gz
sum=$(awk -v name="$archive" '$2 == name { print $1 }' "$action/.github/release/checksums.txt")
[[ $sum =~ ^[0-9a-f]{64}$ ]] || refuse "no checksum of $archive is committed with this action, so nothing is downloaded" \
  'use the action at the tag of a release, or set `binary: PATH`, or `build: true` to build from source'

if [ -n "$INPUT_DOWNLOAD_FROM" ]; then
  # A mirror may be anything: the sum shows whether it has the right file.
  address=${INPUT_DOWNLOAD_FROM%/} protocols='=https,http,file'
else
  address=$GITHUB_SERVER_URL/${ACTION_REPOSITORY:-$GITHUB_REPOSITORY}/releases/download/v$version protocols='=https'
fi
folder=$(mktemp -d "$temporary/akit-XXXXXX")
curl --proto "$protocols" --fail --silent --show-error --location --retry 3 --max-time 300 \
  --output "$folder/$archive" "$address/$archive" ||
  refuse "cannot download $address/$archive" 'set `download-from` to a mirror, or `binary` to a program'
got=$(sum_of "$folder/$archive")
[ "$got" = "$sum" ] || refuse "the checksum of $archive is $got, but $sum is committed: it was not used" \
  'do not work around this; report it as SECURITY.md says'
# From inside the folder: to tar, D:/… would be a machine called D.
(cd "$folder" && tar -xzf "$archive") || refuse "cannot unpack $archive" 'see the log above; tar and gzip are required'
found "$folder/akit-$version-$target/akit$exe"
