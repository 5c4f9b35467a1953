/**
 * A client whose requests take their time: `node slow-client.mjs URL WORKERS`. Each worker asks
 * again and again, over a connection of its own each time, for an answer that takes between 0.2 and
 * 1.2 s. On SIGTERM it waits for what is under way, and prints `{ answered, failed, errors }`.
 */
import { request } from 'node:http';

const [, , url = '', workers = '8'] = process.argv;
const PATIENCE_MS = 30_000;
const ERRORS_MAX = 10;
const counts = { answered: 0, failed: 0, errors: [] };
let isEnding = false;
let turn = 0;

function ask() {
  const ms = 200 + (turn++ * 137) % 1_000;
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/slow?ms=${ms}`, { agent: false }, (response) => {
      response.resume();
      response.on('error', reject);
      const isWell = response.statusCode === 200;
      response.on('end', () => (isWell ? resolve() : reject(new Error(response.statusMessage))));
    });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('timed out')));
    asked.on('error', reject);
    asked.end();
  });
}

async function work() {
  while (!isEnding) {
    try {
      await ask();
      counts.answered += 1;
    } catch (error) {
      counts.failed += 1;
      if (counts.errors.length < ERRORS_MAX) {
        counts.errors.push(`${new Date().toISOString()} ${error.message}`);
      }
    }
  }
}

process.on('SIGTERM', () => {
  isEnding = true;
});
await Promise.all(Array.from({ length: Number(workers) }, work));
console.log(JSON.stringify(counts));
