/**
 * A YAML or JSON file as plain data, for files that are no manifests.
 */
import { ComplaintCollector, type Complaint, type PathStep, type Place } from '../complaint.js';
import { readDocuments } from './documents.js';
import { READ_LIMITS, type SourceFile } from './source.js';
import { plainValue } from './tree.js';

/** What a file holds. */
export interface PlainFile {
  /** Of its first document; absent when a complaint is an error. */
  readonly value?: unknown;
  /** The place of a field, or of the nearest part above it that was written. */
  readonly locate: (steps: readonly PathStep[]) => Place;
  readonly complaints: readonly Complaint[];
}

/** Reads the first document of a file. Never throws on account of the input. */
export function readYaml(file: SourceFile): PlainFile {
  const collector = new ComplaintCollector();
  const [document] = readDocuments(file, READ_LIMITS, collector, { first: true });
  const start: Place = { path: file.path, line: 1, column: 1, field: '' };
  const isRead = document !== undefined && collector.errorCount === 0;
  return {
    ...(isRead ? { value: plainValue(document.root) } : {}),
    locate: (steps) => document?.locate(steps) ?? start,
    complaints: collector.list(),
  };
}
