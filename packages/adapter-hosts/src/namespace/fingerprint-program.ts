/**
 * The program that takes fingerprints of network namespaces: one process that enters them all and
 * asks the kernel itself. A process for each namespace and question costs fifty times as much.
 *
 * In Perl, because Node.js cannot enter a namespace, and every Debian has Perl.
 *
 * It reads lines `PATH KEY KEY …`: where a namespace is mounted, and settings of it; it prints for
 * each line what the kernel says of the namespace, in hexadecimal, or an empty line when it cannot
 * be entered. Left out is what changes by itself: counters, timers, ages, what was learnt.
 *
 * **Source:** setns(2), netlink(7), rtnetlink(7); linux/neighbour.h, if_link.h, nf_tables.h.
 */

/** Number of the system call `setns`, by Node.js' name of the machine. */
const SETNS: Readonly<Record<string, number>> = Object.freeze({
  x64: 308,
  arm64: 268,
  arm: 375,
  ia32: 346,
  riscv64: 268,
  loong64: 268,
  ppc64: 350,
  s390x: 339,
});

/** The command, or undefined on a machine whose system calls are not known here. */
export function fingerprintCommand(architecture: string): readonly string[] | undefined {
  const setns = SETNS[architecture];
  return setns === undefined ? undefined : ['perl', '-e', PROGRAM, String(setns)];
}

const PROGRAM = `
use strict;
my $setns = shift;
open(my $home, '<', '/proc/self/ns/net') or die "no namespaces: $!";
my ($said, $seq);

# The parts of a message that say what is set, by the numbers of the attributes to keep or to drop.
sub part {
  my ($body, $head, $keep, $drop) = @_;
  my ($at, $end, $text) = ($head, length $body, substr($body, 0, $head));
  while ($at + 4 <= $end) {
    my ($size, $type) = unpack('S S', substr($body, $at, 4));
    last if $size < 4;
    $type &= 0x3fff;
    $text .= substr($body, $at, $size) if $keep ? $keep->{$type} : !$drop->{$type};
    $at += ($size + 3) & ~3;
  }
  return $text;
}

sub ask {
  my ($protocol, $type, $flags, $body, $read) = @_;
  socket(my $socket, 16, 3, $protocol) or return;
  $seq++;
  my $message = pack('L S S L L', 16 + length $body, $type, 1 | $flags, $seq, 0) . $body;
  send($socket, $message, 0) or return;
  while (1) {
    defined recv($socket, my $answer, 1 << 18, 0) or return;
    my $at = 0;
    while ($at + 16 <= length $answer) {
      my ($size, $kind) = unpack('L S', substr($answer, $at, 6));
      return if $kind == 3 || $kind == 2 || $size < 16;
      my $text = $read->(substr($answer, $at + 16, $size - 16));
      $said .= "$text|" if $text ne '';
      return if !$flags;
      $at += ($size + 3) & ~3;
    }
  }
}

my $dump = 0x300;
my %link = map { $_ => 1 } (1, 3, 4, 5, 10, 37);
my %stamps = (6 => 1);
my %ages = (3 => 1, 4 => 1);

sub link_state {
  my ($index, $flags) = unpack('x4 l L', $_[0]);
  return pack('l L', $index, $flags & 1) . substr(part($_[0], 16, \\%link), 16);
}

# Permanent ones only.
sub neighbour {
  return unpack('x8 S', $_[0]) & 0x80 ? part($_[0], 12, undef, \\%ages) : '';
}

while (my $line = <STDIN>) {
  chomp $line;
  my ($path, @keys) = split / /, $line;
  $said = '';
  my $file;
  if ($path eq '-') { $file = $home; }
  elsif (!open($file, '<', $path)) { print "\\n"; next; }
  if (syscall($setns, fileno($file), 0x40000000) != 0) { print "\\n"; next; }
  $said = (stat $file)[1] . '|';
  ask(0, 18, $dump, pack('x16') . pack('S S L', 8, 29, 8), \\&link_state);
  ask(0, 22, $dump, pack('x8'), sub { part($_[0], 8, undef, \\%stamps) });
  ask(0, 26, $dump, pack('x12'), sub { $_[0] });
  ask(0, 34, $dump, pack('x12'), sub { $_[0] });
  ask(0, 30, $dump, pack('x12'), \\&neighbour);
  ask(0, 30, $dump, pack('C x11', 7), \\&neighbour);
  # The generation of the rules of nftables.
  ask(12, 2576, 0, pack('x4'), sub { part($_[0], 4, { 1 => 1 }) });
  for my $key (@keys) {
    $said .= "$key=";
    if (open(my $setting, '<', "/proc/sys/$key")) { $said .= <$setting> // ''; }
  }
  print unpack('H*', $said), "\\n";
}
`;
