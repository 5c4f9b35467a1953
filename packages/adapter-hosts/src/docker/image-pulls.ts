/**
 * Pulls images, each once, however many tasks wait for it.
 */
import type Dockerode from 'dockerode';
import { messageOf, SkepError } from '@skep/api';
import { engineError, statusOf } from './engine-errors.js';

/** Whether an image is asked for again though the node has it. */
export type PullPolicy = 'missing' | 'always';

/** Images of one engine. */
export class ImagePulls {
  readonly #docker: Dockerode;
  readonly #policy: PullPolicy;
  readonly #running = new Map<string, Promise<void>>();
  readonly #looks = new Map<string, Promise<boolean>>();

  constructor(docker: Dockerode, policy: PullPolicy) {
    this.#docker = docker;
    this.#policy = policy;
  }

  /**
   * Resolves when the engine has the image. A pull goes on when those who wait for it give up.
   * @throws not-found when the engine neither has the image nor can get it
   */
  async ensure(image: string, registryAuth: string | undefined): Promise<void> {
    const isLocal = await this.#isLocal(image);
    if (isLocal && this.#policy === 'missing') return;
    const running = this.#running.get(image) ?? this.#pull(image, registryAuth);
    this.#running.set(image, running);
    try {
      await running;
    } catch (thrown) {
      // As in swarm mode: what is there is good enough.
      if (isLocal) return;
      const text = `No such image: ${image} (${messageOf(thrown)})`;
      throw new SkepError('not-found', text, { details: { image }, cause: thrown });
    } finally {
      this.#running.delete(image);
    }
  }

  /** Tasks that ask at a time get one answer. */
  #isLocal(image: string): Promise<boolean> {
    const asked = this.#looks.get(image);
    if (asked !== undefined) return asked;
    const look = this.#look(image).finally(() => this.#looks.delete(image));
    this.#looks.set(image, look);
    return look;
  }

  async #look(image: string): Promise<boolean> {
    try {
      await this.#docker.getImage(image).inspect();
      return true;
    } catch (thrown) {
      if (statusOf(thrown) === 404) return false;
      throw engineError(thrown, `image ${image}`);
    }
  }

  async #pull(image: string, registryAuth: string | undefined): Promise<void> {
    // A name alone would pull every tag there is.
    const last = image.slice(image.lastIndexOf('/') + 1);
    const name = /[:@]/.test(last) ? image : `${image}:latest`;
    const auth = registryAuth === undefined ? {} : { authconfig: decoded(registryAuth) };
    const stream = await this.#docker.pull(name, auth);
    await new Promise<void>((resolve, reject) => {
      this.#docker.modem.followProgress(stream, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }
}

/** The header of the engine's API, base64 of JSON, as the client wants it. */
function decoded(registryAuth: string): unknown {
  try {
    return JSON.parse(Buffer.from(registryAuth, 'base64url').toString('utf8'));
  } catch (thrown) {
    throw new SkepError('invalid-argument', 'registryAuth must be base64 of JSON', {
      cause: thrown,
    });
  }
}
