import { describe, expect, it } from '@jest/globals';
import type { HealthCheck } from '@skep/api';
import { delayToCheck, healthSettings, healthWords, nextHealth, STARTING } from './health.js';

const CHECK: HealthCheck = { test: ['CMD', 'true'], retries: 3, startPeriodMs: 1_000 };
const failed = (ageMs: number) => ({ hasPassed: false, ageMs });

describe('health', () => {
  it('is lost after the retries, in a row', () => {
    let health = nextHealth(STARTING, CHECK, { hasPassed: true, ageMs: 0 });
    expect(health.status).toBe('healthy');
    health = nextHealth(health, CHECK, failed(5_000));
    health = nextHealth(health, CHECK, failed(6_000));
    expect(health).toEqual({ status: 'healthy', failures: 2 });
    expect(nextHealth(health, CHECK, { hasPassed: true, ageMs: 7_000 }).failures).toBe(0);
    expect(nextHealth(health, CHECK, failed(7_000)).status).toBe('unhealthy');
  });

  it('is not judged in the start period before the first success', () => {
    expect(nextHealth(STARTING, CHECK, failed(999))).toBe(STARTING);
    expect(nextHealth(STARTING, CHECK, failed(1_000)).failures).toBe(1);
    const healthy = nextHealth(STARTING, CHECK, { hasPassed: true, ageMs: 10 });
    expect(nextHealth(healthy, CHECK, failed(500)).failures).toBe(1);
  });

  it('is looked at more often in the start period if the check says so', () => {
    const check = { ...CHECK, intervalMs: 500, startIntervalMs: 50 };
    expect(delayToCheck(STARTING, check, 0)).toBe(50);
    expect(delayToCheck(STARTING, check, 1_000)).toBe(500);
    expect(delayToCheck({ status: 'healthy', failures: 0 }, check, 0)).toBe(500);
    expect(delayToCheck(STARTING, CHECK, 0)).toBe(30_000);
  });

  it("has the engine's defaults, also for zero", () => {
    expect(healthSettings({ test: [], intervalMs: 0, retries: 0, timeoutMs: 0 })).toEqual({
      intervalMs: 30_000,
      timeoutMs: 30_000,
      retries: 3,
      startPeriodMs: 0,
      startIntervalMs: 30_000,
    });
  });

  it('runs words, or a line of shell', () => {
    expect(healthWords({ test: ['CMD', 'a', 'b'] })).toEqual(['a', 'b']);
    expect(healthWords({ test: ['CMD-SHELL', 'a && b'] })).toEqual(['/bin/sh', '-c', 'a && b']);
  });
});
