import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { lightenRequests } from './light-requests.js';

describe('bound functions', () => {
  it('run in the context in which they were bound, as what they are called on, or were bound to', () => {
    lightenRequests();
    const storage = new AsyncLocalStorage<string>();
    function tell(this: unknown, ...args: string[]): unknown[] {
      return [this, storage.getStore(), ...args];
    }
    const owner = { name: 'owner' };
    const [free, owned] = storage.run('bound', () => {
      const resource = new AsyncResource('test');
      // The types of Node know the first parameter alone.
      const bind: (run: typeof tell, self?: unknown) => typeof tell = resource.bind.bind(resource);
      return [bind(tell), bind(tell, owner)];
    });
    assert.deepEqual(
      storage.run('called', () => free.call('me', 'x', 'y')),
      ['me', 'bound', 'x', 'y'],
    );
    assert.deepEqual(
      storage.run('called', () => owned.call('me', 'x')),
      [owner, 'bound', 'x'],
    );
    assert.deepEqual(Object.keys(free), []);
  });
});
