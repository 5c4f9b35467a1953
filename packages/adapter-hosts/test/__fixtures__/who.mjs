/**
 * A server that says who it is (environment `WHO`) and whom it saw, over http and udp on port 80.
 *
 * `/slow?ms=500` takes its time; everything else takes `DELAY_MS`. It ends on SIGTERM as a server
 * should whose place is taken by another: what has been asked is answered, connections that stay
 * open are told to go elsewhere with their next answer, and it ends when none is left. It listens
 * until nobody has come for a moment: what the kernel has accepted for it, and it not yet, would be
 * reset. The moment is longer than a client waits before it repeats the first packet of a
 * connection that was lost on the way, for that comes to the same server.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { Server } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

const PORT = 80;
const QUIET_MS = 1_100;
const who = process.env.WHO ?? '';
const delayMs = Number(process.env.DELAY_MS ?? 0);
let isEnding = false;
let connections = 0;

const answer = (response, text) => {
  if (isEnding) response.setHeader('connection', 'close');
  response.end(text);
};
const http = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://who');
  const text = `${who} ${request.socket.remoteAddress?.replace('::ffff:', '')}\n`;
  const ms = pathname === '/slow' ? Number(searchParams.get('ms')) : delayMs;
  if (ms > 0) setTimeout(() => answer(response, text), ms);
  else answer(response, text);
});
// Its own health check is nobody.
http.on('connection', ({ remoteAddress }) => {
  if (remoteAddress !== '127.0.0.1') connections += 1;
});
// Connections are closed by whoever uses them, or when this server ends.
http.keepAliveTimeout = 0;
http.listen({ port: PORT, host: '0.0.0.0', backlog: 1024 });

const udp = createSocket('udp4');
udp.on('message', (_, { address, port }) => udp.send(`${who} ${address}\n`, port, address));
udp.bind(PORT, '0.0.0.0');

process.on('SIGTERM', async () => {
  isEnding = true;
  for (let known = -1; known !== connections; ) {
    known = connections;
    await sleep(QUIET_MS);
    // A timer may be late, and then comes before all that has happened meanwhile.
    await turn();
  }
  // Not that of http: it closes connections that are idle just now, and may be asked just now.
  Server.prototype.close.call(http, () => process.exit(0));
});
