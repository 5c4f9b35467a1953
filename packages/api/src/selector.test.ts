import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newObject } from './kind.js';
import { matchesLabel, matchesSelector } from './selector.js';
import { parseSelector } from './selector-parser.js';
import { Task } from './task.js';

const task = newObject(Task, {
  id: 't1',
  name: 'web.1',
  labels: { app: 'web', tier: '', rank: '12', 'example.com/rule': 'Host(`a`), b' },
  spec: {
    serviceId: 's1',
    serviceName: 'web',
    slot: 1,
    desiredState: 'running',
    template: { container: { image: 'web:1', args: ['a=b,c'] } },
    cause: 'scale',
  },
});

const isChosen = (labels: string, fields = ''): boolean =>
  matchesSelector(parseSelector({ labels, fields }), task);

describe('labels', () => {
  it.each([
    ['', true],
    ['   ', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web ', true],
    ['app=db', false],
    ['app!=db', true],
    ['app!=web', false],
    // Kubernetes: what is not there differs from every value.
    ['nothing!=web', true],
    ['nothing notin (web)', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db,cache)', true],
    ['app notin (web)', false],
    ['nothing in (web)', false],
    ['app', true],
    ['nothing', false],
    ['!nothing', true],
    ['!app', false],
    ['tier=', true],
    ['app=', false],
    ['tier in (,x)', true],
    ['tier in (x,)', true],
    ['rank>11', true],
    ['rank > 12', false],
    ['rank<13', true],
    // A label that is no number is above and below nothing.
    ['app>1', false],
    ['nothing<1', false],
    ['app=web,tier,!nothing,rank in (11,12)', true],
    ['app=web,nothing', false],
    ['example.com/rule="Host(`a`), b"', true],
    ['"app"="web"', true],
    ['in in (in)', false],
  ])('%j: %s', (text, wanted) => {
    expect(isChosen(text)).toBe(wanted);
  });

  it('compares numbers of any length exactly', () => {
    const [bound] = parseSelector({ labels: 'n>9007199254740992' }).labels;
    expect(matchesLabel(bound!, { n: '9007199254740993' })).toBe(true);
    expect(matchesLabel(bound!, { n: '9007199254740992' })).toBe(false);
  });

  it('an inherited property is no label', () => {
    expect([isChosen('constructor'), isChosen('!toString')]).toEqual([false, true]);
  });
});

describe('fields', () => {
  it.each([
    ['', true],
    ['metadata.name=web.1', true],
    ['meta.name==web.1', true],
    ['metadata.name!=web.1', false],
    ['kind=Task', true],
    ['spec.slot=1', true],
    ['spec.serviceId=s1,status.state=new', true],
    ['spec.serviceId=s1,status.state=running', false],
    // What is not set is empty.
    ['status.nodeId=', true],
    ['status.nodeId!=n1', true],
    ['status.nodeId=n1', false],
    ['spec.nothing.at.all=', true],
    ['spec.template.container.args.0=a\\=b\\,c', true],
    ['spec.template.container.args.0="a=b,c"', true],
    ['spec.template.container.image=web:1', true],
    // A list or an object has no text, not even an empty one.
    ['spec.template=', false],
    ['spec.template!=x', true],
    ['metadata.labels.app=web', true],
  ])('%j: %s', (text, wanted) => {
    expect(isChosen('', text)).toBe(wanted);
  });
});

describe('what is wrong is said, and what would be right', () => {
  it.each([
    ['a=b,', "label selector 'a=b,': at character 5 it ends, where a key has to be"],
    [',a', "at character 1 there is ',', where a key has to be"],
    ['a b', "at character 3 there is 'b', where an operator, a comma or the end has to be"],
    ['a=b c', "at character 5 there is 'c', where a comma or the end has to be"],
    ['a in b', "at character 6 there is 'b', where '(' has to be"],
    ['a in ()', "at character 7 there is ')', where at least one value has to be"],
    ['a in (b', "at character 8 it ends, where ',' or ')' has to be"],
    ['a>b', "at character 3 there is 'b', where a whole number has to be"],
    ['!', 'at character 2 it ends, where a key has to be'],
    ['!a=b', "at character 3 there is '=', where a comma or the end has to be"],
    ['a="b', "at character 3 there is '\"', where a text in quotes as JSON has it has to be"],
    ['a="\\q"', 'a text in quotes as JSON has it has to be'],
    ['""', 'where a key has to be'],
  ])('labels %j', (labels, message) => {
    expect(() => parseSelector({ labels })).toThrow(message);
    expect(() => parseSelector({ labels })).toThrow('write KEY, !KEY, KEY=VALUE');
  });

  it.each([
    ['name=web', "field selector 'name=web': at character 1 there is 'name', where a path that"],
    ['spec.=x', 'where a path that begins with metadata., spec. or status.'],
    ['spec=x', 'where a path that begins'],
    ['kind.name=x', 'where a path that begins'],
    ['spec.a', 'at character 7 it ends, where =, == or != has to be'],
    ['spec.a>1', 'at character 9 it ends, where =, == or != has to be'],
    ['spec.a=b=c', "at character 9 there is '=', where a comma or the end has to be"],
    ['spec.a=b\\', 'where a character after the backslash has to be'],
  ])('fields %j', (fields, message) => {
    expect(() => parseSelector({ fields })).toThrow(message);
    expect(() => parseSelector({ fields })).toThrow('write PATH=VALUE or PATH!=VALUE');
  });

  it('is an invalid argument, with the place as data', () => {
    expect(() => parseSelector({ labels: 'a==b==c' })).toThrow(
      expect.objectContaining({
        code: 'invalid-argument',
        details: { selector: 'a==b==c', at: 5 },
      }),
    );
  });
});

it('in and notin, = and !=, a key and its absence are each other’s opposite', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(word, fc.array(word, { minLength: 1, maxLength: 3 }), word, (key, list, value) => {
      const labels = { a: value };
      const holds = (text: string): boolean =>
        parseSelector({ labels: text }).labels.every((one) => matchesLabel(one, labels));
      expect(holds(`${key} in (${list.join(',')})`)).toBe(
        !holds(`${key} notin (${list.join(',')})`),
      );
      expect(holds(`${key}=${value}`)).toBe(!holds(`${key}!=${value}`));
      expect(holds(key)).toBe(!holds(`!${key}`));
    }),
    { seed: 7 },
  );
});

it('any value comes through in quotes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      const [requirement] = parseSelector({ labels: `a=${JSON.stringify(value)}` }).labels;
      expect(requirement?.values).toEqual([value]);
    }),
    { seed: 7 },
  );
});
