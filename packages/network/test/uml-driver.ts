/**
 * The program that runs inside user-mode-linux: it gives texts to the kernel's own tools and sends
 * packets, both as a plan says, and writes down what came of it.
 *
 * In Python, because it has to enter network namespaces by itself: a process for each command and
 * connection would take minutes there.
 */

/** One thing to do. Namespaces are named as in `ip netns`; '' is the first one of the machine. */
export type DriverStep =
  | {
      readonly do: 'run';
      readonly namespace: string;
      readonly command: readonly string[];
      readonly input: string;
    }
  /** Opens sockets of tcp and udp, of both families, on a port of a namespace. */
  | { readonly do: 'listen'; readonly namespace: string; readonly ports: readonly number[] }
  | { readonly do: 'ask'; readonly packets: readonly DriverPacket[] }
  | DriverFlood;

/**
 * Datagrams to an address, each from the next port, as fast as may be, and meanwhile transactions
 * of nft in another namespace, in turn. The result's output: how often all of these were given.
 */
export interface DriverFlood {
  readonly do: 'flood';
  /** Where datagrams come from, one of its addresses, and where they go. */
  readonly namespace: string;
  readonly source: string;
  readonly destination: string;
  /** Where these commands are given to nft, one line for a transaction. */
  readonly changed: string;
  readonly transactions: readonly string[];
  /** It goes on for so long, and until all were given so often: a loaded machine needs longer. */
  readonly ms: number;
  readonly rounds: number;
}

/** A connection to try: of tcp with a handshake, of udp with one datagram each way. */
export interface DriverPacket {
  readonly namespace: string;
  readonly protocol: 'tcp' | 'udp';
  readonly destination: string;
  readonly port: number;
  readonly sourcePort: number;
}

/** What became of it. */
export interface DriverAnswer {
  readonly outcome: 'answered' | 'lost';
  /** Namespace and port where it arrived, and from where it seemed to come. */
  readonly namespace?: string;
  readonly port?: number;
  readonly seenSource?: { readonly address: string; readonly port: number };
}

/** What came of a step. `at`: milliseconds since some moment. */
export interface DriverResult {
  readonly at: number;
  readonly status?: number;
  readonly output?: string;
  readonly answers?: readonly DriverAnswer[];
}

/** The program; called with the path of a plan and of a file for the results. */
export const DRIVER_PROGRAM = `
import ctypes, json, os, select, signal, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
handles = {'': os.open('/proc/self/ns/net', os.O_RDONLY)}
listeners = {}

inside = ['']

def enter(name):
    if inside[0] == name:
        return
    if name not in handles:
        handles[name] = os.open('/run/netns/' + name, os.O_RDONLY)
    if libc.setns(handles[name], 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), 'setns ' + name)
    inside[0] = name

# One batch may remove a namespace and add another of its name.
def is_same(name):
    try:
        return os.stat('/run/netns/' + name).st_ino == os.fstat(handles[name]).st_ino
    except FileNotFoundError:
        return False

def forget_removed():
    for name in [n for n in handles if n and not is_same(n)]:
        os.close(handles.pop(name))
        if inside[0] == name:
            enter('')

def set_values(text):
    for line in text.splitlines():
        key, value = (part.strip() for part in line.split('='))
        # The machine has these once, and not in each namespace.
        if '.gc_thresh' in key:
            continue
        try:
            with open('/proc/sys/' + key.replace('.', '/'), 'w') as file:
                file.write(value)
        except OSError as fault:
            return {'status': 1, 'output': str(fault)}
    return {'status': 0}

def run(step):
    enter(step['namespace'])
    if step['command'] == ['sysctl']:
        return set_values(step['input'])
    done = subprocess.run(step['command'], input=step['input'].encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    forget_removed()
    return {'status': done.returncode, 'output': done.stdout.decode()[-2000:]}

def listen(step):
    enter(step['namespace'])
    for port in step['ports']:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            made = socket.socket(socket.AF_INET6, kind)
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(('::', port))
            if kind == socket.SOCK_STREAM:
                made.listen(64)
            made.setblocking(False)
            listeners[made] = (step['namespace'], port)
    return {}

def plain(address):
    return address[7:] if address.startswith('::ffff:') else address

def arrival(made, source):
    name, port = listeners[made]
    return {'outcome': 'answered', 'namespace': name, 'port': port,
            'seenSource': {'address': plain(source[0]), 'port': source[1]}}

LOST = {'outcome': 'lost'}

def ask(packet):
    is_tcp = packet['protocol'] == 'tcp'
    family = socket.AF_INET6 if ':' in packet['destination'] else socket.AF_INET
    enter(packet['namespace'])
    client = socket.socket(family, socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM)
    client.bind(('', packet['sourcePort']))
    client.setblocking(False)
    try:
        return (ask_tcp if is_tcp else ask_udp)(client, (packet['destination'], packet['port']))
    except OSError as fault:
        return LOST
    finally:
        client.close()

def ready(wait, others=[], is_listening=True):
    wanted = others + (list(listeners) if is_listening else [])
    found = select.select(wanted, [], [], wait)[0]
    return found[0] if found else None

def ask_tcp(client, target):
    try:
        client.connect(target)
    except BlockingIOError:
        pass
    if client in select.select([], [client], [], 0.05)[1]:
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
            return LOST
    made = ready(0.25)
    if made is None:
        return LOST
    server, source = made.accept()
    answer = arrival(made, source)
    server.setblocking(True)
    client.setblocking(True)
    client.settimeout(1)
    client.sendall(b'q')
    server.recv(1)
    server.sendall(b'a')
    got = client.recv(1)
    client.close()
    server.recv(1)
    server.close()
    return answer if got == b'a' else LOST

def ask_udp(client, target):
    client.connect(target)
    client.send(b'q')
    made = ready(0.25, [client])
    if made is None or made is client:
        return LOST
    data, source = made.recvfrom(16)
    answer = arrival(made, source)
    made.sendto(b'a', source)
    if ready(0.25, [client], False) is None:
        return LOST
    return answer if client.recv(16) == b'a' else LOST

def datagrams(source, destination):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    ip = struct.pack('!BBHHHBBH', 0x45, 0, 29, 0, 0, 64, socket.IPPROTO_UDP, 0) + ends
    return [ip + struct.pack('!HHHHc', port, 80, 9, 0, b'q') for port in range(1024, 65536)]

def flood(step):
    end = time.monotonic() + step['ms'] / 1000
    enter(step['namespace'])
    first, last = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
    child = os.fork()
    # On one processor nothing comes between a packet and its rules.
    os.sched_setaffinity(0, {first if child == 0 else last})
    if child == 0:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        raw.connect((step['destination'], 0))
        packets = datagrams(step['source'], step['destination'])
        while True:
            for packet in packets:
                try:
                    raw.send(packet)
                except OSError:
                    # No room for it just now.
                    pass
    enter(step['changed'])
    # Whatever else wants that processor.
    os.setpriority(os.PRIO_PROCESS, 0, -20)
    nft = subprocess.Popen(['nft', '-i'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    rounds = 0
    try:
        while time.monotonic() < end or rounds < step['rounds']:
            for line in step['transactions']:
                nft.stdin.write(line + '\\nlist tables bridge\\n')
                nft.stdin.flush()
                told = nft.stdout.readline()
                if told != 'table bridge skep\\n':
                    return {'status': 1, 'output': told}
            rounds += 1
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        nft.stdin.close()
    return {'status': nft.wait(), 'output': str(rounds)}

def main(plan_path, result_path):
    with open(plan_path) as file:
        plan = json.load(file)
    results = []
    for step in plan:
        at = int(time.monotonic() * 1000)
        if step['do'] == 'run':
            result = run(step)
        elif step['do'] == 'listen':
            result = listen(step)
        elif step['do'] == 'flood':
            result = flood(step)
        else:
            result = {'answers': [ask(packet) for packet in step['packets']]}
        result['at'] = at
        results.append(result)
    with open(result_path + '.part', 'w') as file:
        json.dump(results, file)
    os.rename(result_path + '.part', result_path)

main(sys.argv[1], sys.argv[2])
`;
