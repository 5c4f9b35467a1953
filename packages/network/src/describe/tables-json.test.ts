import { describe, expect, it } from '@jest/globals';

import { VOTE_CLUSTER } from '../__fixtures__/vote.js';
import { tablesOf } from '../__fixtures__/world.js';
import { tablesJson } from './tables-json.js';

const TABLES = tablesOf(VOTE_CLUSTER, 'node1');

describe('tablesJson', () => {
  it('survives JSON, with objects where there were maps', () => {
    const json = tablesJson(TABLES);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    expect(json).toMatchObject({ nodeName: 'node1', revision: TABLES.revision });
    for (const [id, network] of Object.entries(json['networks'] as object)) {
      const vips = Object.entries((network as { readonly vips: object }).vips);
      expect(vips).toEqual([...(TABLES.networks.get(id)?.vips.entries() ?? [])]);
    }
    expect(Object.keys(json['tasks'] as object)).toEqual(TABLES.tasks.keys());
  });

  it('may be of one network, by id or name', () => {
    const ids = TABLES.networks.keys();
    for (const id of ids) {
      const { name = '' } = TABLES.networks.get(id) ?? {};
      for (const network of [id, name]) {
        expect(Object.keys(tablesJson(TABLES, { network })['networks'] as object)).toEqual([id]);
      }
    }
    expect(tablesJson(TABLES, { network: 'none' })).toMatchObject({ networks: {} });
  });
});
