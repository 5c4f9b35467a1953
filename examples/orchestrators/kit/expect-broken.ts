/**
 * A broken twin, the law that finds it, and the script that shows it again.
 */
import { expect } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { controllerLaws, replay } from '@skep/testing/controllers';
import type { ControllerLawsOptions, ControllerScript } from '@skep/testing/controllers';

/**
 * Expects that a law finds the twin broken, and that the script which is printed then shows it when
 * it is pasted; the sound controllers pass it. Resolves to the name of the law.
 */
export async function expectBroken(
  sound: ControllerLawsOptions,
  twins: ControllerLawsOptions['controllers'],
): Promise<unknown> {
  const broken = { ...sound, controllers: twins };
  const found: unknown = await controllerLaws(broken).catch((error: unknown) => error);
  if (!isSkepError(found, 'failed-precondition')) throw new Error('no law was broken');
  const [, printed] = found.message.split('await replay(setup, ');
  if (printed === undefined) throw found;
  const script = JSON.parse(printed.replace(/\);$/, '')) as ControllerScript;
  await expect(replay(broken, script)).rejects.toMatchObject({ code: 'failed-precondition' });
  await replay(sound, script);
  return found.details['law'];
}
