#!/bin/bash
# Tries the two commands of the README on machines that have next to nothing: bare Debian systems in folders, each with a
# fresh checkout of HEAD. Needs root, debootstrap, npm (to get the versions of Node), git, and a network.
set -euo pipefail

usage() {
  cat <<'TEXT'
sudo scripts/fresh-machine.sh --work FOLDER [options]

Runs a command in bare Debian systems and prints a table. Each list is given with commas; every combination is a case.

  --work FOLDER         where the systems are made; some GB; kept from run to run
  --debian LIST         bookworm, trixie [bookworm,trixie]
  --user LIST           root, user (without sudo) [root,user]
  --node LIST           versions; debian for Debian's own (trixie only) [20.11.0,20.19.4,22.5.1,22.15.0,24.21.0]
  --tools LIST          none, or what is installed besides: packages of Debian with + between them, such as
                        none,git,python3+python3-pip,golang-go,systemd,git+python3+python3-pip [none]
  --run LIST            demo, test, or a command in quotes, such as 'npm run setup' [demo]
  --folder NAME         of the checkout, in the home of the user [archiver]
  --certificate FILE    one more certificate (PEM) to trust, of a proxy
  --keep                keep the systems of the cases, to look into them

The table has the exit code, the time, the last line that was printed, and the disk taken by the folder and the home.
What each case printed is in FOLDER/logs.
TEXT
}

work='' debians=bookworm,trixie users=root,user nodes=20.11.0,20.19.4,22.5.1,22.15.0,24.21.0 tools=none runs=demo
folder=archiver certificate='' keep=''
while [ $# -gt 0 ]; do
  case $1 in
    --work) work=$2; shift ;;
    --debian) debians=$2; shift ;;
    --user) users=$2; shift ;;
    --node) nodes=$2; shift ;;
    --tools) tools=$2; shift ;;
    --run) runs=$2; shift ;;
    --folder) folder=$2; shift ;;
    --certificate) certificate=$(realpath "$2"); shift ;;
    --keep) keep=1 ;;
    --help | -h) usage; exit 0 ;;
    *) echo "fresh-machine.sh: unknown: $1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$work" ] || { usage >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo 'fresh-machine.sh: needs root, for debootstrap and chroot' >&2; exit 2; }
for command in debootstrap npm git unshare; do
  command -v "$command" > /dev/null || { echo "fresh-machine.sh: $command is not on PATH" >&2; exit 2; }
done
checkout=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$work/logs" "$work/nodes"
work=$(cd "$work" && pwd)

# The version of npm that comes with a version of Node.
npm_of() {
  case $1 in
    18.*) echo 10.8.2 ;;
    20.0.*) echo 9.6.4 ;;
    20.11.*) echo 10.2.4 ;;
    20.*) echo 10.8.2 ;;
    22.0.*) echo 10.5.1 ;;
    22.*) echo 10.8.2 ;;
    *) echo 11.6.2 ;;
  esac
}

# A bare Debian, made once.
base() {
  [ -e "$work/base-$1.done" ] && return
  rm -rf "$work/base-$1"
  debootstrap --variant=minbase --include=ca-certificates "$1" "$work/base-$1" http://deb.debian.org/debian > "$work/logs/base-$1.log" 2>&1
  touch "$work/base-$1.done"
}

# Node and its npm, as the archive of nodejs.org lays them out; the packages of npm hold the same files.
node() {
  local to=$work/nodes/$1 arch
  [ -e "$to.done" ] && return
  rm -rf "$to" && mkdir -p "$to/bin" "$to/lib/node_modules/npm"
  case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
  (
    cd "$work/nodes"
    tar -xzf "$(npm pack --silent "node-linux-$arch@$1")" -C "$to" --strip-components=1 package/bin/node
    tar -xzf "$(npm pack --silent "npm@$(npm_of "$1")")" -C "$to/lib/node_modules/npm" --strip-components=1
    rm -f ./*.tgz
  )
  chmod -R a+rX "$to" && chmod 755 "$to/bin/node" "$to"/lib/node_modules/npm/bin/*-cli.js
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$to/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$to/bin/npx"
  touch "$to.done"
}

# Runs a command inside of a system: mounts and processes of its own end with it.
inside() {
  local system=$1
  shift
  unshare --mount --pid --fork --kill-child /bin/bash -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && exec chroot "$0" "$@"' "$system" "$@"
}

make_system() {
  local system=$1 debian=$2 node=$3 tool=$4
  rm -rf "$system"
  cp -a --reflink=auto "$work/base-$debian" "$system"
  cp /etc/resolv.conf /etc/hosts "$system/etc/"
  [ -z "$certificate" ] || cp "$certificate" "$system/usr/local/share/ca-certificates/extra.crt"
  local packages=${tool//+/ }
  [ "$tool" != none ] || packages=''
  [ "$node" != debian ] || packages="$packages nodejs npm"
  inside "$system" /bin/bash -ec "
    export DEBIAN_FRONTEND=noninteractive
    update-ca-certificates
    useradd --create-home --shell /bin/bash tester
    apt-get -qq update
    [ -z '$packages' ] || apt-get -qq install --yes --no-install-recommends $packages"
  [ "$node" = debian ] || cp -a "$work/nodes/$node/." "$system/usr/local/"
}

# A clone where the machine has git, otherwise what an archive of the sources holds.
check_out() {
  local to=$1 tool=$2
  mkdir -p "$to"
  if [[ +$tool+ == *+git+* ]]; then
    rmdir "$to" && git clone --quiet --no-hardlinks "$checkout" "$to"
  else
    git -C "$checkout" archive HEAD | tar -x -C "$to"
  fi
}

row() {
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$@"
}

try() {
  local debian=$1 user=$2 node=$3 tool=$4 run=$5 name system home command path code=0 start seconds last
  name=$(echo "$debian-$user-$node-$tool-$run" | tr -c 'A-Za-z0-9.+\n-' _)
  system=$work/system-$name log=$work/logs/$name.log
  make_system "$system" "$debian" "$node" "$tool" > "$log" 2>&1
  case $user in
    root) home=/root path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ;;
    *) home=/home/tester path=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games ;;
  esac
  check_out "$system$home/$folder" "$tool"
  [ "$user" = root ] || chown -R --reference="$system$home" "$system$home/$folder"
  case $run in
    demo) command='npm run demo -- --rows 100000' ;;
    test) command='npm test' ;;
    *) command=$run ;;
  esac
  local trusted=()
  [ -z "$certificate" ] || trusted=(NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt)
  local as=()
  [ "$user" = root ] || as=(setpriv --reuid=tester --regid=tester --init-groups)
  start=$SECONDS
  inside "$system" "${as[@]}" env -i HOME="$home" USER="$user" PATH="$path" LANG=C.UTF-8 "${trusted[@]}" \
    /bin/bash -c 'cd "$1" && eval "$2"' fresh "$home/$folder" "$command" < /dev/null >> "$log" 2>&1 || code=$?
  seconds=$((SECONDS - start))
  last=$(grep -v '^\s*$' "$log" | tail -1 | tr '|' '/' | cut -c1-80)
  row "$debian" "$user" "$node" "$tool" "$run" "$code" "$((seconds / 60)):$(printf %02d $((seconds % 60)))" \
    "$(du -sh "$system$home/$folder" | cut -f1) / $(du -sh "$system$home" | cut -f1)" "$last"
  { echo 'Outside of the folder, and in /tmp:'; (cd "$system" && find ".$home" -maxdepth 3 -not -path ".$home/$folder*" && find ./tmp -maxdepth 1) } >> "$log"
  [ -n "$keep" ] || rm -rf "$system"
  return "$code"
}

row Debian user Node tools command exit time 'disk: folder / home' 'last line'
row --- --- --- --- --- --- --- --- ---
failed=0
IFS=, read -ra all_debians <<< "$debians"
IFS=, read -ra all_users <<< "$users"
IFS=, read -ra all_nodes <<< "$nodes"
IFS=, read -ra all_tools <<< "$tools"
IFS=, read -ra all_runs <<< "$runs"
for debian in "${all_debians[@]}"; do
  base "$debian"
  for node in "${all_nodes[@]}"; do
    [ "$node" != debian ] || [ "$debian" != bookworm ] || continue # its Node is 18
    [ "$node" = debian ] || node "$node"
    for user in "${all_users[@]}"; do
      for tool in "${all_tools[@]}"; do
        for run in "${all_runs[@]}"; do
          try "$debian" "$user" "$node" "$tool" "$run" || failed=$((failed + 1))
        done
      done
    done
  done
done
[ "$failed" = 0 ] || { echo "$failed cases failed" >&2; exit 1; }
