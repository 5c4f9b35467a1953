/**
 * Lists of objects as text, piece by piece: a long one is never whole in memory.
 */
import type { Revision, StoredObject } from '@skep/api';
import { wireObject } from './wire-object.js';

/** Objects in one piece. */
const PIECE = 200;

/** The JSON of an `ObjectList`, made as it is read. */
export function listStream(
  revision: Revision,
  objects: readonly StoredObject[],
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let from = 0;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(encoder.encode(`{"revision":${revision},"objects":[`));
    },
    pull: (controller) => {
      const piece = objects.slice(from, from + PIECE);
      const text = piece.map((object) => JSON.stringify(wireObject(object))).join(',');
      const comma = from > 0 && piece.length > 0 ? ',' : '';
      from += PIECE;
      const isLast = from >= objects.length;
      controller.enqueue(encoder.encode(`${comma}${text}${isLast ? ']}' : ''}`));
      if (isLast) controller.close();
    },
  });
}
