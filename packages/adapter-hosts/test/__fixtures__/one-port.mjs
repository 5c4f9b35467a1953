/**
 * Connections from the same ports of this client to two hosts: `node one-port.mjs HOST HOST PORT
 * FIRST_OWN_PORT`. Three to each, all open at a time. Where three servers answer in turn, one of the
 * second three is given to the server that has one from that port already, wherever the turns stand.
 * Prints what each was answered.
 */
import { connect } from 'node:net';

const [first, second, port, ownPort] = process.argv.slice(2);
const PATIENCE_MS = 10_000;
const SECOND_ORDER = [0, 2, 1];

/** The connection stays open when it was answered. */
function ask(host, own) {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), localPort: own });
    socket.setTimeout(PATIENCE_MS, () => resolve({ socket, text: 'no answer' }));
    socket.on('error', (error) => resolve({ socket, text: error.message }));
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: who\r\n\r\n'));
    socket.on('data', (bytes) => {
      const lines = bytes.toString().trim().split('\n');
      resolve({ socket, text: lines.find((line) => /^\w+ [\d.]+$/.test(line)) ?? lines[0] });
    });
  });
}

const open = [];
for (const number of [0, 1, 2]) open.push(await ask(first, Number(ownPort) + number));
for (const number of SECOND_ORDER) open.push(await ask(second, Number(ownPort) + number));
for (const { socket, text } of open) {
  console.log(text);
  socket.destroy();
}
