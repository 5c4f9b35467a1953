/**
 * Parts that the schemas of several kinds share. Every object is strict: an unknown field is a
 * fault.
 */
import type { DriverConfig, Labels } from '@skep/api';
import { z } from 'zod';

/** Any text. */
export const text = z.string();
/** A text with at least one character. */
export const filledText = z.string().min(1);
/** A list of texts. */
export const texts = z.array(z.string());
/** A whole number from 0. */
export const count = z.int().min(0);
/** Milliseconds; fractions are allowed, for the Docker API counts nanoseconds. */
export const milliseconds = z.number().min(0);
/** Text pairs. */
export const labels: z.ZodType<Labels> = z.record(z.string(), z.string());
/** A port of TCP, UDP or SCTP. */
export const port = z.int().min(0).max(65_535);
/** An optional field: absent, never `null`. */
export const maybe = z.exactOptional;

/** A driver by name, with its options. */
export const driver: z.ZodType<DriverConfig> = z.strictObject({
  name: text,
  options: maybe(labels),
});
