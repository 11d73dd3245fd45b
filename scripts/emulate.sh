#!/usr/bin/env bash
# Runs commands on an emulated CPU, for example the kernels' tests on a CPU with
# AVX-512, or the program on a CPU without it.
#
#     scripts/emulate.sh corei7_icelake_u
#     scripts/emulate.sh corei7_haswell_4770 'fourzero --version' 'fourzero search 100'
#
# The first argument is a CPU model of Bochs (`bochs --help cpu`). The others are
# shell commands; the default is the version and all tests of the kernels. The
# commands can use `fourzero`, `unit-tests` (the library's tests, a release
# build) and `tests/data`. Exits with 1 if one of them fails.
#
#   corei7_icelake_u      AVX-512, SHA extensions   corei7_haswell_4770  AVX2
#   corei7_skylake_x      AVX-512                   core2_penryn_t9600   neither
#   ryzen                 SHA extensions, AVX2
#
# Debian's Bochs starts Linux in about a minute. A Bochs without a debugger is
# faster: set BOCHS to its path and DISPLAY_LIBRARY to its display, such as nogui.
# By default, Debian's Linux is downloaded but not installed. Set KERNEL to use
# another.
set -euo pipefail
if [ $# -eq 0 ]; then
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
cd "$(dirname "$0")/.."

model=$1
shift
# The skipped test takes very long and needs no special instructions.
[ $# -gt 0 ] || set -- 'fourzero --version' \
  'unit-tests sha256:: pow::scan:: --skip plain_arrays'

bochs=${BOCHS:-bochs}
missing=()
needs() { [ -e "$1" ] || missing+=("$2"); }
command -v "$bochs" >/dev/null || missing+=(bochs bochs-term)
command -v xorriso >/dev/null || missing+=(xorriso)
needs /usr/share/bochs/BIOS-bochs-latest bochsbios
needs /usr/share/vgabios/vgabios.bin vgabios
needs /usr/lib/ISOLINUX/isolinux.bin isolinux
needs /usr/lib/syslinux/modules/bios/ldlinux.c32 syslinux-common
busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 || missing+=(busybox-static)
if [ ${#missing[@]} -gt 0 ]; then
  echo "missing Debian packages: ${missing[*]}" >&2
  exit 2
fi

cargo build --release --locked
tests=$(cargo test --release --locked --lib --no-run --message-format=json |
  sed -n 's/.*"test":true.*"executable":"\([^"]*\)".*/\1/p')

work=$PWD/target/emulate
mkdir -p "$work"
kernel=${KERNEL:-}
if [ -z "$kernel" ]; then
  kernel=$(compgen -G "$work/linux/boot/vmlinuz-*" | head -n 1) || {
    package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
    (cd "$work" && apt-get download "$package")
    dpkg-deb -x "$work/$package"_*.deb "$work/linux"
    kernel=$(compgen -G "$work/linux/boot/vmlinuz-*" | head -n 1)
  }
fi

# A folder for each run, so that several models can run at once.
run=$(mktemp -d "$work/$model.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$run"' EXIT
root=$run/root
mkdir -p "$root"/{bin,dev,proc,tmp,lib64,tests} "$run/iso"
cp "$busybox" "$root/bin/busybox"
cp target/release/fourzero "$root/bin/fourzero"
cp "$tests" "$root/bin/unit-tests"
strip "$root/bin/fourzero" "$root/bin/unit-tests"
cp -r tests/data "$root/tests/data"
ldd target/release/fourzero "$tests" | grep -o '/[^ :]*\.so[^ :]*' | sort -u |
  xargs cp -L -t "$root/lib64"
printf '%s\n' "$@" >"$root/commands"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
exec </dev/null >/dev/ttyS0 2>&1
export LD_LIBRARY_PATH=/lib64 HOME=/tmp TERM=dumb NO_COLOR=1
grep -m 1 'model name' /proc/cpuinfo
grep -m 1 flags /proc/cpuinfo | grep -owE 'sha_ni|avx2|avx512f' | xargs echo instructions:
result=0
while read -r command; do
  echo "\$ $command"
  sh -c "$command" || { echo "exit status $?"; result=1; }
done </commands
echo "result: $result"
poweroff -f
INIT
chmod +x "$root/init"

(cd "$root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) >"$run/iso/initrd"
cp "$kernel" "$run/iso/vmlinuz"
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$run/iso"
# Bochs reports a wrong size for compacted XSAVE registers, so Linux would turn
# AVX off. Linux also fails where it patches its code to use fast short moves.
# (Seen with Bochs 2.7 and Linux 6.1.)
cat >"$run/iso/isolinux.cfg" <<'BOOT'
default linux
label linux
  kernel vmlinuz
  append initrd=initrd console=ttyS0,115200 quiet panic=-1 mitigations=off clearcpuid=fsrm,pku,xsaves,xsavec
BOOT
xorriso -as mkisofs -quiet -o "$run/boot.iso" -b isolinux.bin -c boot.cat \
  -no-emul-boot -boot-load-size 4 -boot-info-table "$run/iso" 2>/dev/null

serial=$run/serial
touch "$serial"
cat >"$run/bochsrc" <<BOCHSRC
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=$model, ips=50000000, reset_on_triple_fault=0
memory: guest=256, host=256
ata0-master: type=cdrom, path=$run/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$serial
clock: sync=none
display_library: ${DISPLAY_LIBRARY:-term}
log: $run/log
error: action=ignore
panic: action=fatal
BOCHSRC
start="$bochs -q -f $run/bochsrc"
# The debugger in Debian's Bochs waits for a command to continue.
if grep -q -e '-rc ' <<<"$("$bochs" --help 2>&1)"; then
  echo c >"$run/continue"
  start="$start -rc $run/continue"
fi
tail -n +1 -f "$serial" &
# A Bochs with a debugger opens a separate terminal for its screen and prints the
# terminal's name. It blocks unless that terminal is read.
(
  until terminal=$(grep -aom 1 '/dev/pts/[0-9]*' "$run/screen"); do sleep 1; done
  stty -F "$terminal" raw -echo
  exec cat "$terminal"
) >/dev/null 2>&1 &
# The display needs a terminal.
TERM=xterm script -qefc "$start" "$run/screen" </dev/null >/dev/null || true
sleep 1
if ! grep -q '^result: ' "$serial"; then
  echo "the emulation ended early; the last output of Bochs:" >&2
  tail -n 5 "$run/log" "$run/screen" >&2 2>/dev/null || true
fi
grep -q '^result: 0' "$serial"
