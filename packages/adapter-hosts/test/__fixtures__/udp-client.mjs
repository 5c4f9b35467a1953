/**
 * Datagrams, each from a port of its own: `node udp-client.mjs ADDRESS PORT FIRST_OWN_PORT TIMES`.
 * One after the other; prints the answers, a line each.
 */
import { createSocket } from 'node:dgram';

const [address, port, first, times] = process.argv.slice(2);
const PATIENCE_MS = 10_000;

function ask(own) {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => done('no answer'), PATIENCE_MS);
    const done = (text) => {
      clearTimeout(timer);
      socket.close(() => resolve(text.trim()));
    };
    socket.on('message', (bytes) => done(bytes.toString()));
    socket.on('error', (error) => done(error.message));
    socket.bind(own, () => socket.send('q', Number(port), address));
  });
}

for (let number = 0; number < Number(times); number += 1) {
  console.log(await ask(Number(first) + number));
}
