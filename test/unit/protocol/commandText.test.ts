import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { commandText, registrarCommand, shellWord } from '../../../daemon/protocol/commandText.ts';
import { hasUnseen } from '../../../daemon/protocol/visibleText.ts';
import { hostileTexts } from '../../support/hostileTexts.ts';

const shells = ['sh', 'bash', 'dash', 'zsh', 'fish'].filter(
  (shell) => spawnSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' }).status === 0,
);

/** The words that a shell makes of a command line whose program is `registrar`. */
function pasted(shell: string, line: string): string[] {
  const words = line.replace(/^registrar/, String.raw`printf '%s\0'`);
  const output = execFileSync(shell, ['-c', words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return output.split('\0').slice(0, -1);
}

describe('commandText', () => {
  for (const shell of shells) {
    it(`I7: every word that is pasted into ${shell} arrives as it was`, () => {
      const words = Object.values(hostileTexts).filter((text) => !hasUnseen(text));
      assert.deepEqual(pasted(shell, commandText(['registrar', ...words], 'sh')), words);
      const special = fc.string({ unit: fc.constantFrom(...Array.from('\'"\\$`!~=%#&|;<>(){}[]*?^ a-/')) });
      const word = fc.oneof(special, fc.string({ unit: 'binary' })).filter((text) => !hasUnseen(text));
      fc.assert(
        fc.property(fc.array(word, { minLength: 1 }), (list) => {
          assert.deepEqual(pasted(shell, commandText(['registrar', ...list], 'sh')), list);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('leaves words alone that need no quotes', () => {
    assert.equal(
      commandText(['registrar', 'use', 'shop', '--directory', '/w/a-b_c.d@1'], 'sh'),
      'registrar use shop --directory /w/a-b_c.d@1',
    );
  });

  for (const [what, text] of Object.entries(hostileTexts).filter(([, value]) => hasUnseen(value))) {
    it(`I7: with ${what} is no command that could be pasted, and shows the text escaped`, () => {
      const line = commandText(['registrar', 'trust', text], 'sh');
      assert.match(line, /^registrar trust … \(… cannot be pasted: '[^']*'\)$/);
      assert.equal(hasUnseen(line), false);
      for (const shell of ['sh', 'bash', 'zsh'].filter((name) => shells.includes(name))) {
        const run = spawnSync(shell, ['-c', `registrar() { echo ran; }; ${line}`], { encoding: 'utf8' });
        assert.equal(run.stdout, '', shell);
      }
    });
  }

  it('quotes for PowerShell, for which typographic quotes are quotes, too', () => {
    assert.equal(
      commandText(['registrar', 'use', '--', "it's $(x)", '\u2019; x', 'C:\\w\\shop'], 'powershell'),
      "registrar use '--' 'it''s $(x)' '\u2019\u2019; x' C:\\w\\shop",
    );
  });
});

describe('registrarCommand', () => {
  it('tells a name from an option', () => {
    assert.equal(registrarCommand('use', ['--help'], {}, 'sh'), 'registrar use -- --help');
    assert.equal(
      registrarCommand('projects drop', ['-x'], { confirm: '--y', name: undefined }, 'sh'),
      'registrar projects drop --confirm=--y -- -x',
    );
    assert.equal(
      registrarCommand('use', ['my shop'], { directory: '/w' }, 'sh'),
      "registrar use 'my shop' --directory /w",
    );
  });
});

describe('shellWord', () => {
  it('gives back any value, with line breaks and control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!value.includes('\0'));
        assert.deepEqual(pasted('sh', `registrar ${shellWord(value, 'sh')}`), [value]);
      }),
      { numRuns: 50 },
    );
  });
});
