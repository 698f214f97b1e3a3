import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { serverWorld } from '../testing/server-world.js';

const core = '/api/v1/namespaces';

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly labels?: { readonly color?: string };
  };
}
/** Names with their colors: what a model holds at a moment. */
type State = ReadonlyMap<string, string>;

const step = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  what: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
  color: fc.constantFrom('red', 'blue'),
});
const stateOf = (items: readonly Stored[]): State =>
  new Map(items.map(({ metadata }) => [metadata.name, metadata.labels?.color ?? '']));
const sorted = (state: State): State => new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
const only = (state: State, color: string): State => new Map([...state].filter(([, one]) => one === color));

describe('lists and watches agree with a model', () => {
  const { admin } = serverWorld();

  const list = async (path: string): Promise<{ items: Stored[]; metadata: { resourceVersion: string } }> =>
    (await admin.send(path)).json as never;

  it('at each moment of the past, with and without a selector, and along a watch from any of them', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.nat(11), async (steps, from) => {
        const home = `${core}/model-${run++}`;
        await admin.send(core, { body: { metadata: { name: home.split('/').at(-1) } } });
        const maps = `${home}/configmaps`;
        const moments: { version: string; state: State }[] = [];
        const note = async (state: State): Promise<void> => {
          moments.push({ version: (await list(`${maps}?limit=1`)).metadata.resourceVersion, state: new Map(state) });
        };
        const model = new Map<string, string>();
        await note(model);
        for (const { name, what, color } of steps) {
          if (what === 'delete') {
            await admin.send(`${maps}/${name}`, { method: 'DELETE' });
            model.delete(name);
          } else {
            const body = { metadata: { name, labels: { color } } };
            const isThere = model.has(name);
            await admin.send(isThere ? `${maps}/${name}` : maps, { method: isThere ? 'PUT' : 'POST', body });
            model.set(name, color);
          }
          await note(model);
        }
        for (const { version, state } of moments) {
          const exactly = `resourceVersion=${version}&resourceVersionMatch=Exact`;
          assert.deepEqual(stateOf((await list(`${maps}?${exactly}`)).items), sorted(state));
          const { items } = await list(`${maps}?${exactly}&labelSelector=color%3Dred`);
          assert.deepEqual(stateOf(items), sorted(only(state, 'red')));
        }
        const start = moments[from % moments.length];
        assert.ok(start);
        for (const color of [undefined, 'red']) {
          const seen: Map<string, string> = new Map(color === undefined ? start.state : only(start.state, color));
          const selector = color === undefined ? '' : `&labelSelector=color%3D${color}`;
          const query = `watch=true&timeoutSeconds=1&resourceVersion=${start.version}${selector}`;
          const { text } = await admin.send(`${maps}?${query}`);
          for (const line of text.split('\n').filter((one) => one !== '')) {
            const { type, object } = JSON.parse(line) as { type: string; object: Stored };
            const { name, labels } = object.metadata;
            assert.equal(seen.has(name), type !== 'ADDED', `${type} ${name}`);
            if (type === 'DELETED') seen.delete(name);
            else seen.set(name, labels?.color ?? '');
          }
          const expected = color === undefined ? model : only(model, color);
          assert.deepEqual(sorted(seen), sorted(expected));
        }
      }),
      { numRuns: 3 },
    );
  });
});
