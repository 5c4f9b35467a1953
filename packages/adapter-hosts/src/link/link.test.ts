import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@skep/api';
import { VirtualClock } from '@skep/api/virtual';
import { nodeLinkConformance } from '@skep/adapter/conformance';
import { duplexPair } from './__fixtures__/duplex-pair.js';
import { ManagerConnection } from './manager-connection.js';
import { streamNodeLink } from './socket-link.js';

nodeLinkConformance({ describe, it, expect }, async (manager) => {
  const clock = new VirtualClock();
  const link = streamNodeLink({
    clock,
    connect: async () => {
      const [node, stream] = duplexPair();
      new ManagerConnection({
        stream,
        link: manager,
        clock,
        logger: silentLogger,
        onClosed: () => undefined,
      });
      return node;
    },
  });
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    promise.then(mark, mark);
    while (!isDone) await clock.flush();
    return promise;
  };
  return { link, settle, close: () => Promise.resolve() };
});
