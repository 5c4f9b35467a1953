/**
 * The process that keeps those of a cluster running, and answers its published ports on this
 * machine.
 */
import { basename, dirname } from 'node:path';
import { messageOf, type Logger } from '@skep/api';
import { claimProcess } from './cluster-claims.js';
import { writeJson } from './files.js';
import { namespacesOf } from './hosts.js';
import { placeOf } from './place.js';
import { PortFeed } from './ports/port-feed.js';
import { PortPublisher, type LocalPort } from './ports/port-publisher.js';
import { Supervisor, type SupervisedState } from './process/supervisor.js';
import { listenForEnd } from './stop-signal.js';

/** What the supervisor writes down for others. */
export interface SupervisorReport {
  readonly processes: readonly SupervisedState[];
  readonly ports: readonly LocalPort[];
}

/** @param file - the settings of the cluster */
export async function runSupervisor(file: string, logger: Logger): Promise<void> {
  const told = listenForEnd();
  const folder = dirname(file);
  const stateRoot = dirname(folder);
  const paths = placeOf({ cluster: basename(folder), stateRoot });
  const held = await claimProcess(paths, 'supervisor');
  const report = (): void => {
    try {
      const content: SupervisorReport = {
        processes: supervisor.processes,
        ports: publisher.ports,
      };
      writeJson(paths.supervisorFile, content);
    } catch (thrown) {
      logger.warn('report not written', { error: messageOf(thrown) });
    }
  };
  const publisher = new PortPublisher({ logger, onChange: report });
  const { controlSocket } = paths;
  const feed = new PortFeed({ controlSocket, publisher, logger });
  let turn: Promise<unknown> = Promise.resolve();
  const supervisor = new Supervisor({
    paths,
    stateRoot,
    logger,
    onChange: report,
    onSettings: ({ isPublishedLocally }) => feed.publish(isPublishedLocally),
    // One node after the other: they share the underlay.
    prepareNode: (node, settings) => {
      const done = turn.then(() => namespacesOf(settings)?.ensure([node]));
      turn = done.catch(() => undefined);
      return done;
    },
  });
  supervisor.start();
  report();
  await told.wait();
  await supervisor.stop();
  await feed.close();
  await publisher.close();
  await held.release();
}
