// Stands in for tape, with the functions that drachtio-srf's tests use. Writes one line per assertion.

const assert = require('node:assert');

const tests = [];
let isRunning = false;

function say(isOk, name) {
  console.log(`${isOk ? 'ok' : 'not ok'} ${String(name).replace(/\s+/g, ' ')}`);
}

function run() {
  const [next] = tests;
  if (isRunning || next === undefined) return;
  isRunning = true;
  let planned = Number.POSITIVE_INFINITY;
  let count = 0;
  let timer;
  let isOver = false;
  const end = (error) => {
    if (isOver) return;
    isOver = true;
    if (error) say(false, error);
    clearTimeout(timer);
    say(true, `# end of ${next.title}`);
    tests.shift();
    isRunning = false;
    setImmediate(run);
  };
  const check = (isOk, name) => {
    say(isOk && !isOver, isOver ? `after the end: ${name}` : name);
    count += 1;
    if (count === planned) end();
  };
  const attempt = (fn) => {
    try {
      fn();
      return undefined;
    } catch (error) {
      return error ?? new Error('nothing');
    }
  };
  next.body({
    end,
    plan: (number) => {
      planned = number;
    },
    timeoutAfter: (ms) => {
      timer = setTimeout(() => end(`timed out after ${ms} ms`), ms);
    },
    pass: (name) => check(true, name),
    fail: (name) => check(false, name),
    ok: (value, name) => check(Boolean(value), name),
    // These tests call error() last, and do not call end() after it.
    error: (error, name) => {
      check(!error, name ?? error);
      if (error) end();
    },
    throws: (fn, expected, name) => {
      const error = attempt(fn);
      const isRight = error !== undefined && (typeof expected !== 'function' || error instanceof expected);
      check(isRight, name ?? expected);
    },
    doesNotThrow: (fn, name) => check(attempt(fn) === undefined, name),
  });
}

module.exports = (title, body) => {
  assert.strictEqual(typeof body, 'function');
  tests.push({ title, body });
  setImmediate(run);
};
