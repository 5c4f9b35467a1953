/**
 * Reading the body of a request, up to a limit.
 */
import { SkepError } from '@skep/api';

/**
 * The body as text. What is longer is not read to its end.
 * @throws resource-exhausted for more than `bytesMax` bytes.
 */
export async function readBody(request: Request, bytesMax: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw tooLarge(bytesMax);
  const reader = request.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts.join('') + decoder.decode();
    const chunk = value as Uint8Array;
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      await reader.cancel();
      throw tooLarge(bytesMax);
    }
    parts.push(decoder.decode(chunk, { stream: true }));
  }
}

function tooLarge(bodyBytesMax: number): SkepError {
  const message = `the body is larger than ${bodyBytesMax} bytes; declare fewer at a time`;
  return new SkepError('resource-exhausted', message, { details: { bodyBytesMax } });
}
