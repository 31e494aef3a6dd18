#!/usr/bin/env bash
# Has the program that the action runs, and tells its path as the output `path`: the named one, one built from
# the action's source where that is asked for, or the archive of a release, whose SHA-256 sum must be the one that
# is committed beside the action. Nothing of an archive runs before that.
set -euo pipefail

refuse() { # WHAT HELP: one line of the log, whatever an input has in it, and the outputs of an error.
  local told=${1//'%'/%25}
  told=${told//$'\r'/%0D}
  told=${told//$'\n'/%0A}
  printf '::error title=akit::%s\n' "$told"
  printf 'help: %s\n' "$2" >&2
  printf 'verdict=error\nexit-code=2\n' >>"$GITHUB_OUTPUT"
  exit 2
}

# Git's bash on Windows reads paths with slashes.
slashed() { printf '%s' "${1//\\//}"; }

found() { # PATH: checks the program and tells where it is.
  local path=$1 told
  # What Git's bash calls /c/… no other program of Windows finds.
  if command -v cygpath >/dev/null; then path=$(cygpath -m "$path"); fi
  # A line end would begin an output of the path's choice.
  case $path in *[$'\r\n']*) refuse 'the path of the program has a line end' 'give `binary` another path' ;; esac
  told=$("$path" --version) || refuse "the program does not run: $path" "check that it was built for $RUNNER_OS $RUNNER_ARCH"
  printf '%s from %s\n' "$told" "$path"
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
  # What is relative is relative to the workspace, and stays the same file from any working directory.
  case $path in /* | ?:/*) ;; *) path=$(slashed "$GITHUB_WORKSPACE")/$path ;; esac
  [ -f "$path" ] || refuse "there is no program $INPUT_BINARY" 'give `binary` a path from the workspace, or a name on PATH'
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
  *) refuse "the input build is true or false, and not $INPUT_BUILD" 'leave it out to download a release' ;;
esac
if [ "$INPUT_BUILD" = true ]; then
  command -v cargo >/dev/null || refuse 'there is no Rust toolchain to build akit with' 'install one before, or leave out `build: true`'
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$temporary/akit-build}
  cargo build --profile dist --locked --bin akit --manifest-path "$action/Cargo.toml" ||
    refuse 'akit cannot be built from the source of the action' 'it needs a C compiler and Rust as new as `rust-version` in Cargo.toml'
  found "$(slashed "$CARGO_TARGET_DIR")/dist/akit$exe"
  exit
fi

[ -n "$target" ] || refuse "there is no release of akit for $RUNNER_OS $RUNNER_ARCH" 'give `binary`, or `build: true`'
own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$action/Cargo.toml" | head -n 1)
case ${ACTION_REF:-} in
  v[0-9]*.[0-9]*.[0-9]*)
    [ "${ACTION_REF#v}" = "$own" ] || refuse "the action at $ACTION_REF says that it is $own" 'the tag was moved or made by hand: use another, or a commit' ;;
esac
version=${INPUT_VERSION:-$own}
version=${version#v}
archive=akit-$version-$target.tar.gz
sum=$(awk -v name="$archive" '$2 == name { print $1 }' "$action/.github/release/checksums.txt")
[[ $sum =~ ^[0-9a-f]{64}$ ]] || refuse "no checksum of $archive is committed with this action, so nothing is downloaded" \
  'use the action at the tag of a release; or give `binary: PATH`, or `build: true`, which builds from source'

if [ -n "$INPUT_DOWNLOAD_FROM" ]; then
  # A mirror may be anything: the sum tells whether it has the right file.
  address=${INPUT_DOWNLOAD_FROM%/} protocols='=https,http,file'
else
  address=$GITHUB_SERVER_URL/${ACTION_REPOSITORY:-$GITHUB_REPOSITORY}/releases/download/v$version protocols='=https'
fi
folder=$(mktemp -d "$temporary/akit-XXXXXX")
curl --proto "$protocols" --fail --silent --show-error --location --retry 3 --max-time 300 \
  --output "$folder/$archive" "$address/$archive" ||
  refuse "cannot download $address/$archive" 'give `download-from` a mirror, or `binary` a program'
got=$(sum_of "$folder/$archive")
[ "$got" = "$sum" ] || refuse "the checksum of $archive is $got, and $sum is committed: it was not used" \
  'do not work around this; tell the maintainers as SECURITY.md says'
# From within: for tar, D:/… would be a machine called D.
(cd "$folder" && tar -xzf "$archive") || refuse "cannot unpack $archive" 'see what the log says above; tar and gzip are needed'
found "$folder/akit-$version-$target/akit$exe"
