#!/bin/bash
# avx512.sh BUILD VMLINUZ [TEST...]: the kernels' tests on an emulated processor that has
# AVX-512 (Bochs, a Skylake-X), for machines without it; a quarter of an hour. VMLINUZ is
# a kernel with a serial console, as in Debian's linux-image-cloud-amd64 (its package need
# not be installed: dpkg-deb -x). Needs Debian's bochs, bochsbios, vgabios, bochs-term,
# busybox-static, cpio, grub-pc-bin, grub-common, xorriso, mtools.
set -euo pipefail
build=${1:?build folder} kernel=${2:?kernel}
shift 2
[ $# -gt 0 ] || set -- cpu.maps_test cpu.wino_test cpu.conv_kernel_test
dir=$(mktemp -d)
bochs=
trap 'kill $bochs 2>/dev/null || :; rm -rf "$dir"' EXIT

# A system whose only programs are the tests and what they link.
root=$dir/root
mkdir -p "$root"/{bin,proc,sys,dev,tmp,t}
cp /bin/busybox "$root/bin/"
for test in "$@"; do
    cp "$build/tests/worker.engine.$test" "$root/t/"
    ldd "$root/t/worker.engine.$test" | grep -o '/[^ ]*' | while read -r lib; do
        mkdir -p "$root$(dirname "$lib")"
        cp -Lu "$lib" "$root$lib"
    done
done
cat > "$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
grep -q avx512f /proc/cpuinfo || echo "no AVX-512 here: not ok"
for test in /t/*; do
    echo "begin $test"
    $test 2>&1 && echo "ok $test" || echo "not ok $test"
done
echo "all done"
poweroff -f
INIT
chmod +x "$root/init"

# Bochs says of compacted states what Linux does not believe: those are switched off.
mkdir -p "$dir/iso/boot/grub"
cp "$kernel" "$dir/iso/boot/vmlinuz"
(cd "$root" && find . | cpio -o -H newc --quiet) > "$dir/iso/boot/initrd"
cat > "$dir/iso/boot/grub/grub.cfg" <<'GRUB'
linux /boot/vmlinuz console=ttyS0,115200 mitigations=off tsc=reliable clearcpuid=321,323 quiet
initrd /boot/initrd
boot
GRUB
grub-mkrescue -o "$dir/boot.iso" "$dir/iso" 2> "$dir/grub.log"

cat > "$dir/bochsrc" <<BOCHS
plugin_ctrl: unmapped=1, biosdev=1, extfpuirq=1, serial=1
display_library: term
cpu: model=corei7_skylake_x, ips=50000000
memory: guest=1500, host=1500
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path=$dir/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$dir/console
log: $dir/bochs.log
error: action=ignore
panic: action=fatal
clock: sync=none
BOCHS
echo c > "$dir/go" # Debian's build waits for its debugger's word

# Its screen is a terminal of its own, which somebody has to read.
bochs -q -rc "$dir/go" -f "$dir/bochsrc" < /dev/null > "$dir/screen" 2>&1 &
bochs=$!
until grep -q 'connected to screen' "$dir/screen"; do
    kill -0 $bochs 2>/dev/null || { cat "$dir/screen"; exit 1; }
    sleep 1
done
cat "$(grep -o '/dev/pts/[0-9]*' "$dir/screen" | tail -1)" > "$dir/picture" 2> /dev/null &
touch "$dir/console"
tail -f --pid=$bochs "$dir/console" | sed '/^all done/q' || : # tail dies of the pipe
! grep -q '^not ok' "$dir/console" && grep -q '^all done' "$dir/console"
