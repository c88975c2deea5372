import assert from 'node:assert/strict';
import { complaints, reason, type Outcome, type Row } from '../../../scripts/clients/outcome.ts';
import type { Program } from '../../../scripts/clients/programs.ts';

const landed: Outcome = { kind: 'landed', remedy: null };
const failed: Outcome = { kind: 'failed', log: 'starting\nError: no such host' };
const missing: Outcome = { kind: 'missing', log: 'npm error code E404\nnpm error 404 Not Found' };

function row(name: string, tcp: Outcome, program: Partial<Program> = {}, ipv6 = tcp): Row {
  const whole = { name, packages: [name], debian: [], line: '', command: [], ...program };
  return {
    program: whole,
    version: '1',
    outcomes: new Map([
      ['TCP', tcp],
      ['IPv6', ipv6],
    ]),
  };
}

const rows = (count: number, name: string): Row[] =>
  Array.from({ length: count }, (_, index) => row(`${name} ${index}`, landed));

describe('what npm run clients complains of', () => {
  it('is nothing where enough programs reach the project’s database', () => {
    assert.deepEqual(complaints(rows(8, 'client'), rows(5, 'tool')), []);
  });

  it('is fewer than eight clients, or five tools', () => {
    assert.deepEqual(complaints(rows(7, 'client'), rows(4, 'tool')), [
      'Only 7 clients reach the project’s database by TCP; 8 have to.',
      'Only 4 migration tools reach it by TCP; 5 have to.',
    ]);
  });

  it('is one that breaks, with what it said, unless its entry says that it cannot', () => {
    const clients = [...rows(8, 'client'), row('odd', landed, {}, failed)];
    assert.deepEqual(complaints(clients, rows(5, 'tool')), [
      'odd, IPv6: failed\n    starting\n    Error: no such host',
    ]);
    const known = row('odd', landed, { gaps: { IPv6: 'reads no brackets' } }, failed);
    assert.deepEqual(complaints([...rows(8, 'client'), known], rows(5, 'tool')), []);
  });

  it('is one that npm did not install, once and with npm’s words, but none of Debian’s', () => {
    const tools = [...rows(5, 'tool'), row('gone', missing)];
    assert.deepEqual(complaints(rows(8, 'client'), tools), [
      'gone, TCP: missing\n    npm error code E404\n    npm error 404 Not Found',
    ]);
    const debian = row('Alembic', missing, { packages: [], debian: ['python3-alembic'] });
    assert.deepEqual(complaints(rows(8, 'client'), [...rows(5, 'tool'), debian]), []);
  });

  it('has the line of a log that says most, without colours', () => {
    assert.equal(reason('a\n\u001b[31mError: a|b\u001b[0m\nstatus 1'), 'Error: a b');
    assert.equal(reason('quiet\nstatus 1'), 'status 1');
  });
});
