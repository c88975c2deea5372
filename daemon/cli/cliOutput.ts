import type { ErrorReport } from '../protocol/registrarError.ts';
import type { CliContext, TextOutput } from './cliContext.ts';
import { errorText } from './resolutionText.ts';
import { coloured, plain } from './terminalText.ts';
import type { TextView } from './terminalText.ts';

/**
 * The two streams. With `json`, standard output carries exactly one JSON document; everything else goes to standard
 * error, so that a program can parse the one while a person watches the other.
 */
export class CliOutput {
  readonly json: boolean;
  readonly #context: CliContext;
  readonly #mayColour: boolean;
  #failure: Error | null = null;

  constructor(context: CliContext, options: { json: boolean; colour: boolean }) {
    this.#context = context;
    this.json = options.json;
    const { NO_COLOR: noColor = '', TERM: terminal } = context.environment;
    this.#mayColour = options.colour && noColor === '' && terminal !== 'dumb';
    context.stdout.on('error', (error) => {
      if (isClosedPipe(error) || this.#failure) return;
      this.#failure = error;
      context.stderr.write(`registrar: the output could not be written: ${error.message}\n`);
    });
    context.stderr.on('error', () => {
      // The exit status still arrives when nobody reads standard error.
    });
  }

  /** Whether the output arrived, as far as is known; a full disk is reported a moment after writing. */
  async isWritten(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.#failure === null;
  }

  /** The answer: as JSON, or as what `text` makes of it. */
  answer(value: unknown, text: (view: TextView) => string): void {
    const { stdout } = this.#context;
    stdout.write(`${this.json ? JSON.stringify(value, null, 2) : text(this.#view(stdout))}\n`);
  }

  /** As `answer`, for text that must not pass for the requested output, such as shell code. */
  refusal(value: unknown, text: (view: TextView) => string): void {
    if (this.json) this.answer(value, text);
    else this.progress(text);
  }

  /** A line around the answer: with it on a terminal, on standard error if the answer is JSON. */
  note(text: (view: TextView) => string): void {
    const stream = this.json ? this.#context.stderr : this.#context.stdout;
    stream.write(`${text(this.#view(stream))}\n`);
  }

  progress(text: (view: TextView) => string): void {
    const { stderr } = this.#context;
    stderr.write(`${text(this.#view(stderr))}\n`);
  }

  error(error: ErrorReport): void {
    this.refusal({ error }, (view) => errorText(error, view));
  }

  #view(stream: TextOutput): TextView {
    const paint = this.#mayColour && stream.isTTY === true ? coloured : plain;
    return { home: this.#context.home, now: new Date(), paint };
  }
}

/** Whoever reads our output may stop early (`| head`); that is no failure, and the rest is dropped. */
function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}
