import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StatusError } from '../../shared/errors/status-error.js';
import { parseListOptions, type ListOptions } from './list-options.js';

const parse = (query: string): ListOptions =>
  parseListOptions(new URLSearchParams(query), new URLSearchParams(query).has('watch'));

function refusal(query: string): StatusError {
  try {
    parse(query);
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  return assert.fail(`${query} is accepted`);
}

const needsVersion =
  'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided';
const withContinue = 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided';
const exactAtZero =
  'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
const unknownMatch = 'resourceVersionMatch: Unsupported value: "foo": supported values: "Exact", "NotOlderThan", ""';
const onList = 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list';
const needsInitial =
  'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
const needsMatch =
  'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
const onlyNotOlder = (match: string): string =>
  `resourceVersionMatch: Unsupported value: "${match}": supported values: "NotOlderThan"`;

describe('options of lists and watches', () => {
  const refused: [query: string, faults: string[]][] = [
    ['resourceVersionMatch=Exact', [needsVersion]],
    ['resourceVersionMatch=NotOlderThan', [needsVersion]],
    ['resourceVersionMatch=Exact&resourceVersion=0', [exactAtZero]],
    ['resourceVersionMatch=foo&resourceVersion=0', [unknownMatch]],
    ['resourceVersionMatch=foo', [needsVersion, unknownMatch]],
    ['resourceVersionMatch=Exact&resourceVersion=5&continue=x', [withContinue]],
    ['resourceVersionMatch=NotOlderThan&continue=x', [needsVersion, withContinue]],
    ['sendInitialEvents=true', [onList]],
    ['sendInitialEvents=false', [onList]],
    ['watch=1&resourceVersionMatch=NotOlderThan', [needsInitial]],
    ['watch=1&resourceVersionMatch=Exact&resourceVersion=5', [needsInitial, onlyNotOlder('Exact')]],
    ['watch=1&sendInitialEvents=true', [needsMatch]],
    ['watch=1&sendInitialEvents=false', [needsMatch]],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=Exact', [needsMatch, onlyNotOlder('Exact')]],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=foo', [needsMatch, onlyNotOlder('foo')]],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x', [withContinue]],
  ];
  for (const [query, faults] of refused) {
    it(`refuses ${query}`, () => {
      const { code, reason, message, details } = refusal(query);
      assert.deepEqual([code, reason], [422, 'Invalid']);
      const text = faults.length === 1 ? faults[0] : `[${faults.join(', ')}]`;
      assert.equal(message, `ListOptions.meta.k8s.io "" is invalid: ${text}`);
      assert.equal(details?.kind, 'ListOptions');
      assert.equal(details?.causes?.length, faults.length);
    });
  }

  it('takes every combination that has a meaning', () => {
    for (const query of [
      '',
      'resourceVersion=0',
      'resourceVersion=7&resourceVersionMatch=Exact',
      'resourceVersion=7&resourceVersionMatch=NotOlderThan',
      'resourceVersion=0&resourceVersionMatch=NotOlderThan',
      'limit=5&resourceVersion=7',
      'continue=x',
      'watch=1&resourceVersion=7',
      'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
      'watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=7',
    ])
      parse(query);
  });

  it('lets a watch from anywhere begin with what exists, and no other', () => {
    const initial = (query: string): boolean | undefined => parse(query).sendInitialEvents;
    assert.equal(initial('watch=1'), true);
    assert.equal(initial('watch=1&resourceVersion=0'), true);
    assert.equal(initial('watch=1&resourceVersion=7'), undefined);
    assert.equal(initial('watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan'), false);
  });

  it('refuses what is no number in the words of the original', () => {
    const message = (query: string): string => `${refusal(query).code} ${refusal(query).message}`;
    assert.equal(message('limit=abc'), '400 strconv.ParseInt: parsing "abc": invalid syntax');
    assert.equal(
      message('timeoutSeconds=99999999999999999999'),
      '400 strconv.ParseInt: parsing "99999999999999999999": value out of range',
    );
    assert.equal(
      message('resourceVersion=abc'),
      '400 invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    );
    assert.equal(refusal('resourceVersion=-1').code, 400);
  });

  it('reads booleans as the original does', () => {
    const bookmarks = (value: string): boolean => parse(`watch=1&allowWatchBookmarks${value}`).allowWatchBookmarks;
    for (const value of ['', '=', '=true', '=1', '=yes']) assert.equal(bookmarks(value), true, value);
    for (const value of ['=false', '=False', '=0']) assert.equal(bookmarks(value), false, value);
  });
});
