/**
 * From bytes to text: size, encoding, characters that YAML does not allow.
 */
import type { ComplaintCollector } from '../complaint.js';
import { LinePositions } from './line-positions.js';

/** A file as it came. `path` is only a name for complaints. */
export interface SourceFile {
  readonly path: string;
  readonly text: string | Uint8Array;
}

/** Bounds on what is read. A file beyond one of them is refused, never cut. */
export interface ReadLimits {
  /** Default 2 MiB: sixty times the largest real stack file known, read in some four seconds. */
  readonly maxBytes: number;
  /** Nesting of mappings and lists, aliases expanded. Default 100. */
  readonly maxDepth: number;
  /** Nodes after aliases and merges are expanded. Default 500 000. */
  readonly maxNodes: number;
}

/** The default bounds. */
export const READ_LIMITS: ReadLimits = Object.freeze({
  maxBytes: 2 * 1024 * 1024,
  maxDepth: 100,
  maxNodes: 500_000,
});

// What YAML 1.1 calls printable, without the byte order mark.

const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]/;

/** The text of the file, or undefined after complaining. Accepts UTF-8, and UTF-16 with a mark. */
export function decodeSource(
  file: SourceFile,
  limits: ReadLimits,
  complaints: ComplaintCollector,
): string | undefined {
  const start = { path: file.path, line: 1, column: 1, field: '' };
  const size = file.text.length;
  if (size > limits.maxBytes) {
    complaints.error(
      'file-too-large',
      start,
      `the file has ${size} bytes, more than the limit of ${limits.maxBytes}`,
      'split it, or raise the limit',
    );
    return undefined;
  }
  const text = withoutMark(typeof file.text === 'string' ? file.text : decodeBytes(file.text));
  const replaced = text.indexOf('\ufffd');
  if (replaced >= 0) {
    const place = new LinePositions(text).placeOf(file.path, replaced, '');
    complaints.error('not-utf8', place, 'the text is not valid UTF-8 here', 'save it as UTF-8');
    return undefined;
  }
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden) {
    const code = forbidden[0].charCodeAt(0).toString(16).padStart(4, '0');
    complaints.error(
      'yaml-syntax',
      new LinePositions(text).placeOf(file.path, forbidden.index, ''),
      `the character U+${code.toUpperCase()} is not allowed in YAML`,
      'write it as an escape in double quotes',
    );
    return undefined;
  }
  return text;
}

function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function decodeBytes(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe
      ? 'utf-16le'
      : first === 0xfe && second === 0xff
        ? 'utf-16be'
        : 'utf-8';
  // Malformed bytes become U+FFFD, which is then found with its place.
  return new TextDecoder(encoding).decode(bytes);
}
