import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Budget } from './budget.js';
import { CelEnvironment } from './environment.js';
import { CelBudgetError, CelCompileError, CelError } from './errors.js';
import { fromJson, toJson } from './json-values.js';
import { dynType, intType, listType, mapType, objectType, stringType } from './types.js';
import { LazyMap } from './values.js';
import { processorWatch } from '../../shared/clock/processor-time.js';

const self = {
  name: 'web',
  replicas: 3,
  ratio: 0.5,
  labels: { app: 'web', 'a-b': 'x' },
  ports: [80, 443],
  items: [
    { key: 'a', value: 1 },
    { key: 'b', value: 2 },
  ],
  none: null,
};
const environment = new CelEnvironment({ variables: { self: dynType }, hasBind: true });

const run = (source: string): unknown => toJson(environment.compile(source).evaluate({ self: fromJson(self) }));

/** Expression and value, by library. */
const values: Readonly<Record<string, readonly (readonly [string, unknown])[]>> = {
  language: [
    ['1 + 2 * 3 - 4 / 2 % 3', 5],
    ['-3 - -3', 0],
    ['--1', 1],
    ['!!true', true],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['-7 % 3', -1],
    ['7.0 / 2.0', 3.5],
    ['2u + 3u', 5],
    ['0x1F', 31],
    ['1e3', 1000],
    ['1 < 2.5 && 3u > 2', true],
    ['dyn(1) == 1.0', true],
    ['dyn(1) == dyn("1")', false],
    ['"a" + "b"', 'ab'],
    [`'it\\'s' + "\\u00e9" + r'\\n' + '''x'''`, "it'sé\\nx"],
    ['b"\\xff"', '/w=='],
    ['[1, 2] + [3]', [1, 2, 3]],
    ['{"a": 1}["a"]', 1],
    ['{1: "x"}[1]', 'x'],
    ['[1, 2, 3][1]', 2],
    ['2 in [1, 2]', true],
    ['"app" in self.labels', true],
    ['true ? 1 : 2', 1],
    ['false || true', true],
    ['self.replicas > 1 ? "many" : "one"', 'many'],
    ['self.missing == 1 || true', true],
    ['false && self.missing == 1', false],
    ['self.missing == 1 && false', false],
    ['has(self.name) && !has(self.missing)', true],
    ['has(self.none)', true],
    ['self.none == null', true],
    ['size("é𝄞")', 2],
    ['size([1]) + [1, 2].size() + size({"a": 1}) + "abc".size()', 7],
    ['type(1) == int && type("") == string && type([]) == list', true],
    ['int("12") + int(3.9) + int(4u)', 19],
    ['string(1.0) + string(true) + string(12)', '1true12'],
    ['double("1.5")', 1.5],
    ['bool("true")', true],
    ['self.labels.`a-b`', 'x'],
    ['self["name"]', 'web'],
    ['// comment\n1', 1],
    ['"a" < "b" && [1] == [1] && {"a": dyn(1)} == {"a": dyn(1.0)}', true],
    ['self.items.all(i, i.value > 0)', true],
    ['self.ports.exists(p, p == 80)', true],
    ['self.ports.exists_one(p, p > 0)', false],
    ['self.items.map(i, i.key)', ['a', 'b']],
    ['self.items.map(i, i.value > 1, i.key)', ['b']],
    ['self.ports.filter(p, p > 100)', [443]],
    ['self.labels.all(k, k.size() > 0)', true],
    ['self.labels.map(k, k)', ['app', 'a-b']],
    ['[1, 0].exists(x, 1 / x == 1)', true],
    ['[0, 1].exists(x, 1 / x == 1)', true],
    [
      'self.ports.map(p, self.ports.map(q, p + q))',
      [
        [160, 523],
        [523, 886],
      ],
    ],
    ['self.ports.map(self, self + 1)', [81, 444]],
  ],
  'two variables': [
    ['self.ports.all(i, p, p > i)', true],
    ['self.labels.exists(k, v, k == v)', false],
    ['self.labels.existsOne(k, v, v == "x")', true],
    ['[1, 2].transformList(i, v, i + v)', [1, 3]],
    ['[1, 2].transformList(i, v, v > 1, v)', [2]],
    ['{"a": 1}.transformMap(k, v, v + 1)', { a: 2 }],
    ['["x", "y"].transformMapEntry(i, v, {v: i})', { x: 0, y: 1 }],
    ['cel.bind(x, 2, x * x)', 4],
  ],
  strings: [
    ['"tacocat".charAt(2)', 'c'],
    ['"tacocat".indexOf("c")', 2],
    ['"tacocat".indexOf("c", 3)', 4],
    ['"tacocat".lastIndexOf("c")', 4],
    ['"𝄞abc".indexOf("b")', 2],
    ['"AbÉ".lowerAscii() + "aé".upperAscii()', 'abÉAé'],
    ['"a-b-c".replace("-", "+")', 'a+b+c'],
    ['"a-b-c".replace("-", "+", 1)', 'a+b-c'],
    ['"ab".replace("", "_")', '_a_b_'],
    ['"a,b,c".split(",")', ['a', 'b', 'c']],
    ['"a,b,c".split(",", 2)', ['a', 'b,c']],
    ['"a,b".split(",", 0)', []],
    ['"tacocat".substring(4) + "tacocat".substring(0, 4)', 'cattaco'],
    ['"  x \\n".trim()', 'x'],
    ['["a", "b"].join("-") + ["a"].join()', 'a-ba'],
    ['strings.quote("a\\n\\"")', '"a\\n\\""'],
    ['"%s is %d of %.2f (%s)".format(["a", 3, 1.5, [1, "x"]])', 'a is 3 of 1.50 ([1, "x"])'],
    ['"%x %X %b %o %%".format([255, "A", 5, 8])', 'ff 41 101 10 %'],
    ['"abc".startsWith("a") && "abc".endsWith("c") && "abc".contains("b")', true],
  ],
  regex: [
    ['"abc123".matches("^[a-z]+[0-9]+$")', true],
    ['matches("abc", "b")', true],
    ['"abc 123 456".find("[0-9]+")', '123'],
    ['"abc".find("[0-9]+")', ''],
    ['"abc 123 456".findAll("[0-9]+")', ['123', '456']],
    ['"abc 123 456".findAll("[0-9]+", 1)', ['123']],
    ['"aaa".findAll("a*?")', ['', '', '', '']],
    ['"abab".findAll("a|ab")', ['a', 'a']],
    ['"foo.bar baz".findAll("\\\\b[a-z]")', ['f', 'b', 'b']],
  ],
  lists: [
    ['[1, 2, 3].isSorted() && !["b", "a"].isSorted()', true],
    ['[1, 2, 3].sum()', 6],
    ['[1.5, 2.0].sum()', 3.5],
    ['[3, 1, 2].min() + [3, 1, 2].max()', 4],
    ['[1, 2, 1].indexOf(1) + [1, 2, 1].lastIndexOf(1)', 2],
    ['[[1], [2, 3]].flatten()', [1, 2, 3]],
    ['[1, 2, 3, 4].slice(1, 3)', [2, 3]],
    ['[3, 1, 2].sort()', [1, 2, 3]],
    ['[1, 1, 2].distinct()', [1, 2]],
    ['lists.range(3)', [0, 1, 2]],
    ['sets.contains([1, 2, 3], [2, 3]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1], [1])', true],
  ],
  time: [
    ['timestamp("2024-03-01T12:30:45.678Z").getFullYear()', 2024],
    ['timestamp("2024-03-01T00:00:00Z").getDayOfYear()', 60],
    ['timestamp("2024-03-01T00:30:00Z").getHours("-01:00")', 23],
    ['timestamp("2024-07-01T00:30:00Z").getHours("Europe/Berlin")', 2],
    ['timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z") == duration("24h")', true],
    ['timestamp("2024-01-01T00:00:00Z") + duration("1h30m") > timestamp("2024-01-01T01:00:00Z")', true],
    ['string(duration("1h30m"))', '5400s'],
    ['duration("90m").getHours() + duration("90s").getMinutes()', 2],
    ['string(timestamp(0))', '1970-01-01T00:00:00Z'],
  ],
  optionals: [
    ['self.?missing.orValue("x")', 'x'],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['self.?labels.?app.orValue("x")', 'web'],
    ['self.?labels[?"zz"].hasValue()', false],
    ['self.ports[?5].orValue(0)', 0],
    ['optional.of(1).optMap(x, x + 1).value()', 2],
    ['optional.none().or(optional.of(3)).value()', 3],
    ['optional.ofNonZeroValue("").hasValue()', false],
    ['[?self.?missing, ?self.?name]', ['web']],
    ['{?"a": self.?missing, "b": dyn(1)}', { b: 1 }],
    ['optional.none().orValue(3) + [optional.of(1), optional.none()].size()', 5],
    ['[1, 2].first().value() + [1, 2].last().value()', 3],
  ],
  quantity: [
    ['quantity("1Gi").isGreaterThan(quantity("1G"))', true],
    ['quantity("50k").add(quantity("20k")) == quantity("70k")', true],
    ['quantity("50k").sub(10000).asInteger()', 40000],
    ['quantity("1500m").asApproximateFloat()', 1.5],
    ['isQuantity("x") || isQuantity("1Ki")', true],
    ['sign(quantity("-1"))', -1],
    ['quantity("200M").compareTo(quantity("0.2G"))', 0],
  ],
  network: [
    ['ip("127.0.0.1").isLoopback() && ip("::1").family() == 6', true],
    ['ip("FE80:0:0:0:0:0:0:1").isLinkLocalUnicast()', true],
    ['string(ip("2001:DB8:0:0:0:0:0:1"))', '2001:db8::1'],
    ['ip.isCanonical("2001:db8::1") && !ip.isCanonical("2001:DB8::1")', true],
    ['isIP("1.2.3.4") && !isIP("1.2.3") && !isIP("::ffff:1.2.3.4")', true],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3") && !cidr("10.0.0.0/8").containsIP("11.0.0.1")', true],
    ['cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', true],
    ['string(cidr("10.1.2.3/8").masked())', '10.0.0.0/8'],
    ['cidr("::1/128").prefixLength()', 128],
    ['url("https://example.com:8080/a%20b?x=1&x=2").getHost()', 'example.com:8080'],
    ['url("https://example.com:443/").getPort() + url("https://[::1]:80/").getHostname()', '443::1'],
    ['url("https://example.com/a?x=1&x=2").getQuery()["x"]', ['1', '2']],
    ['isURL("../x") || isURL("/abs")', true],
  ],
  'semver and formats': [
    ['semver("1.2.3").isLessThan(semver("1.10.0"))', true],
    ['semver("1.0.0-alpha.1").compareTo(semver("1.0.0"))', -1],
    ['isSemver("v1.2", true) && !isSemver("v1.2")', true],
    ['semver("v01.2", true).major()', 1],
    ['format.dns1123Label().validate("a.b").hasValue()', true],
    ['format.named("uuid").value().validate("123e4567-e89b-12d3-a456-426614174000").hasValue()', false],
  ],
};

describe('expressions', () => {
  for (const [library, cases] of Object.entries(values)) {
    it(`have the value that the language gives them: ${library}`, () => {
      for (const [source, expected] of cases) assert.deepEqual(run(source), expected, source);
    });
  }

  it('fail at run time with the original words', () => {
    const failures: readonly (readonly [string, RegExp])[] = [
      ['self.missing', /^no such key: missing$/],
      ['self.labels["zz"]', /^no such key: zz$/],
      ['self.ports[5]', /^index out of bounds: 5$/],
      ['1 / 0', /^division by zero$/],
      ['1 % 0', /^modulus by zero$/],
      ['9223372036854775807 + 1', /^integer overflow$/],
      ['1u - 2u', /^unsigned integer overflow$/],
      ['self.name + self.replicas', /^no such overload/],
      ['self.name ? 1 : 2', /no such overload/],
      ['"abc".charAt(4)', /index out of range: 4/],
      ['quantity("x")', /quantities must match|unable to parse/],
      ['"a".matches(self.name + "(")', /missing closing \)/],
      ['optional.none().value()', /optional.none\(\) dereference/],
      ['{"a": "x", "b": "x"}.transformMapEntry(k, v, {v: k})', /key x already exists/],
      ['duration(self.name)', /type conversion error/],
      ['dyn(1) + dyn("a")', /^no such overload$/],
      ['dyn(1) && true', /^no such overload$/],
      ['lists.range(-1)', /size must be non-negative, got -1/],
      ['[1, 2].slice(2, 1)', /start index must be less than or equal to end index/],
      ['ip("::ffff:1.2.3.4")', /IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed/],
      ['url("http://a:b/")', /invalid port ":b" after host/],
      ['self.missing == 1 || false', /no such key: missing/],
    ];
    for (const [source, message] of failures) {
      assert.throws(
        () => run(source),
        (error) => error instanceof CelError && message.test(error.message),
        source,
      );
    }
  });

  it('are refused before they run with the place and the original words', () => {
    const typed = new CelEnvironment({
      variables: {
        self: objectType('root', [
          ['replicas', intType],
          ['names', listType(stringType)],
          ['a__dash__b', stringType],
        ]),
      },
    });
    const failures: readonly (readonly [string, string])[] = [
      ['self.replicas +', "Syntax error: mismatched input '<EOF>' expecting"],
      ['foo', "undeclared reference to 'foo' (in container '')"],
      ['self.nope', "undefined field 'nope'"],
      ['self.replicas + "a"', "found no matching overload for '_+_' applied to '(int, string)'"],
      ['self.names.all(n, n > 1)', "found no matching overload for '_>_' applied to '(string, int)'"],
      ['self.replicas == "a"', "found no matching overload for '_==_' applied to '(int, string)'"],
      ['self.replicas.x', "type 'int' does not support field selection"],
      [
        'self.replicas.all(x, true)',
        "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
      ],
      ['nope(1)', "undeclared reference to 'nope' (in container '')"],
      ['self.replicas.isSorted()', "found no matching overload for 'isSorted' applied to 'int.()'"],
      ['[1, "a"]', "expected type 'int' but found 'string'"],
      ['9223372036854775808', 'invalid int literal'],
      ['self.names.all(1, true)', 'argument is not an identifier'],
      ['duration("1d")', 'invalid duration argument'],
      ['timestamp("2024-02-30T00:00:00Z") == null', 'invalid timestamp argument'],
      ['"a".matches("[")', 'invalid matches argument'],
      ['int("a") == 1', "program instantiation failed: type conversion error from 'string' to 'int'"],
      ['"%d".format([1.5])', 'decimal clause can only be used on integers, was given double'],
      ['"%s".format([1, 2])', 'too many arguments supplied to string.format (expected 1, got 2)'],
      ['[1, 2][1u] == 2', "found no matching overload for '_[_]' applied to '(list(int), uint)'"],
      ['[dyn(1), "a"]', "expected type 'dyn' but found 'string'"],
      ['true && 1', "expected type 'bool' but found 'int'"],
      ['[1].filter(v, v)', "found no matching overload for '_?_:_' applied to '(int, list(int), list(int))'"],
      ['math.abs(1)', "undeclared reference to 'math'"],
      ['has(self)', 'invalid argument to has() macro'],
      ['"abc', 'token recognition error'],
      ['while', 'reserved identifier: while'],
      ['Object{a: 1}', "undeclared reference to 'Object' (in container '')"],
    ];
    for (const [source, message] of failures) {
      assert.throws(
        () => typed.compile(source),
        (error) => error instanceof CelCompileError && error.message.includes(message),
        source,
      );
    }
    assert.throws(
      () => typed.compile('self.a__dash__b +\n  self.nope'),
      (error: Error) => error.message === "ERROR: <input>:2:7: undefined field 'nope'\n |   self.nope\n | ......^",
    );
    assert.throws(() => typed.compile('1', 'bool'), /must evaluate to bool but got int/);
  });

  it('see objects through their schema: escaped names, doubles, times, sets', () => {
    const type = objectType('root', [
      ['a__dash__b', stringType],
      ['__namespace__', stringType],
      ['ratio', { kind: 'double' }],
      ['at', { kind: 'timestamp' }],
      ['set', { kind: 'list', items: intType, listType: 'set' }],
      ['byKey', { kind: 'list', items: mapType(stringType, dynType), listType: 'map', listMapKeys: ['k'] }],
    ]);
    const typed = new CelEnvironment({ variables: { self: type, oldSelf: type } });
    const value = {
      'a-b': 'x',
      namespace: 'n',
      ratio: 2,
      at: '2024-01-01T00:00:00Z',
      set: [1, 2],
      byKey: [{ k: 'a', v: 1 }],
      hidden: 1,
    };
    const old = {
      set: [2, 1],
      byKey: [
        { k: 'b', v: 1 },
        { k: 'a', v: 1 },
      ],
    };
    const check = (source: string): unknown =>
      toJson(typed.compile(source).evaluate({ self: fromJson(value, type), oldSelf: fromJson(old, type) }));
    assert.equal(check('self.a__dash__b + self.__namespace__'), 'xn');
    assert.equal(check('self.ratio / 4.0'), 0.5);
    assert.equal(check('self.at.getFullYear()'), 2024);
    assert.equal(check('self.set == oldSelf.set'), true);
    assert.equal(check('size(self.set + oldSelf.set)'), 2);
    assert.equal(check('size(self.byKey + oldSelf.byKey)'), 2);
    assert.equal(check('has(oldSelf.ratio)'), false);
  });

  it('read a variable when they need it, and only then', () => {
    const made: string[] = [];
    const variables = new LazyMap('kubernetes.variables', [
      ['a', () => (made.push('a'), 1n)],
      ['b', () => (made.push('b'), 2n)],
    ]);
    const composed = new CelEnvironment({
      variables: {
        variables: objectType('v', [
          ['a', intType],
          ['b', intType],
        ]),
      },
    });
    assert.equal(composed.compile('variables.a + variables.a').evaluate({ variables }), 2n);
    assert.deepEqual(made, ['a']);
  });
});

describe('the budget of an evaluation', () => {
  const bombs: readonly string[] = [
    '[1,2,3,4,5,6,7,8,9,10].all(a, '.repeat(7) + 'true' + ')'.repeat(7),
    Array.from(
      { length: 40 },
      (_, i) => `cel.bind(s${i}, ${i === 0 ? '"aaaaaaaaaa"' : `s${i - 1} + s${i - 1}`}, `,
    ).join('') +
      'size(s39)' +
      ')'.repeat(40),
    Array.from({ length: 30 }, (_, i) => `cel.bind(s${i}, ${i === 0 ? '[1]' : `s${i - 1} + s${i - 1}`}, `).join('') +
      'size(s29)' +
      ')'.repeat(30),
    'cel.bind(s, lists.range(1000), s.all(a, s.all(b, s.all(c, a + b + c >= 0))))',
    '"%s".format([[[[lists.range(900000)]]]]).replace("1", "%s".format([lists.range(90000)]))',
    'lists.range(3000).map(x, string(x)).join("a").findAll("(a|0|1)*2")',
  ];

  it('ends every bomb within a quarter of a second', () => {
    for (const source of bombs) {
      const program = environment.compile(source);
      const spentMs = processorWatch();
      try {
        program.evaluate({ self: null });
      } catch (error) {
        assert.ok(error instanceof CelError, source);
      }
      const tookMs = spentMs();
      assert.ok(tookMs < 250, `${source.slice(0, 60)} took ${Math.round(tookMs)} ms`);
    }
  });

  it('is shared by several evaluations and absorbed by nothing', () => {
    const shared = new Budget(100);
    const program = environment.compile('self.ports.all(p, p > 0) || true');
    const once = (): unknown => program.evaluate({ self: fromJson(self) }, new Budget(1_000_000, shared));
    assert.throws(() => {
      for (let i = 0; i < 100; i++) once();
    }, CelBudgetError);
  });

  it('is foretold from the sizes that a schema allows', () => {
    const bounded = objectType('root', [
      ['list', { kind: 'list', items: { kind: 'string', maxSize: 10 }, maxSize: 10 }],
    ]);
    const open = objectType('root', [['list', listType(stringType)]]);
    const cost = (type: typeof open, source: string): number =>
      new CelEnvironment({ variables: { self: type } }).compile(source).estimatedCost;
    const rule = 'self.list.all(x, self.list.all(y, x == y))';
    assert.ok(cost(bounded, rule) < 10_000);
    assert.ok(cost(open, rule) > 1_000_000_000);
  });

  it('has no say before an expression is compiled: nested, long and odd texts are refused or read quickly', () => {
    const texts = [
      '('.repeat(5_000) + '1',
      '['.repeat(100_000),
      'a' + '.b'.repeat(40_000),
      '!'.repeat(90_000) + 'true',
      '-'.repeat(90_000) + '1',
      '1' + '+1'.repeat(45_000),
      'a?b:'.repeat(20_000),
      '"' + '\\'.repeat(90_001),
      '`'.repeat(50_000),
      'x'.repeat(200_000),
      'true' + '||true'.repeat(15_000),
      '{'.repeat(10_000),
      'self.all(a,'.repeat(9_000),
    ];
    for (const text of texts) {
      const spentMs = processorWatch();
      try {
        environment.compile(text);
      } catch (error) {
        assert.ok(error instanceof CelCompileError, `${text.slice(0, 20)}: ${String(error)}`);
      }
      assert.ok(spentMs() < 500, text.slice(0, 20));
    }
  });
});
