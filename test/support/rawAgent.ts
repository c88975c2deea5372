import { once } from 'node:events';
import { request, type Agent, type IncomingMessage } from 'node:http';

export interface RawAnswer {
  status: number;
  /** As it came: empty for a bare status. */
  body: string;
  /** The answer to what was asked; undefined when there is none. */
  result: Record<string, unknown> | undefined;
}

/** An agent that speaks the protocol over HTTP without its library, as one in another language does. */
export class RawAgent {
  readonly #url: string;
  readonly #token: string;
  readonly #connections: Agent | false;
  readonly #headers: Record<string, string>;
  #asked = 0;
  /** As the server named it; empty before `begin`. */
  sessionId = '';

  /**
   * @param headers sent with every request
   * @param connections false for a connection of its own for each request
   */
  constructor(
    { url, token }: { url: string; token: string },
    headers: Record<string, string> = {},
    connections: Agent | false = false,
  ) {
    this.#url = url;
    this.#token = token;
    this.#headers = headers;
    this.#connections = connections;
  }

  /** Initialises, and says that it is. Gives what the server says of itself. */
  async begin(): Promise<Record<string, unknown>> {
    this.sessionId = '';
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'raw agent', version: '1' } };
    const { status, body, result } = await this.ask('initialize', params);
    if (result === undefined || this.sessionId === '') throw new Error(`no session was begun: ${status} ${body}`);
    const noted = await this.#send('POST', { jsonrpc: '2.0', method: 'notifications/initialized' });
    if (noted.status !== 202) throw new Error(`the session is not initialised: ${noted.status} ${noted.body}`);
    return result;
  }

  async ask(method: string, params: unknown = {}, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const id = (this.#asked += 1);
    const { status, body } = await this.#send('POST', { jsonrpc: '2.0', id, method, params }, headers);
    return { status, body, result: answerIn(body, id) };
  }

  /** Calls a tool that has to answer, refused or not. */
  async call(
    name: string,
    args: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): Promise<{ isError: boolean; structured: Record<string, unknown> }> {
    const { status, body, result } = await this.ask('tools/call', { name, arguments: args }, headers);
    if (result === undefined) throw new Error(`${name} was not answered: ${status} ${body}`);
    return { isError: result['isError'] === true, structured: result['structuredContent'] as Record<string, unknown> };
  }

  /** Ends the session. Gives the status. */
  async end(): Promise<number> {
    return (await this.#send('DELETE', undefined)).status;
  }

  async #send(
    method: string,
    message: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> {
    const session = { 'Mcp-Session-Id': this.sessionId, 'MCP-Protocol-Version': protocolVersion };
    const sent = request(this.#url, {
      method,
      agent: this.#connections,
      headers: {
        Authorization: `Bearer ${this.#token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...(this.sessionId === '' ? {} : session),
        ...this.#headers,
        ...headers,
      },
    });
    sent.end(message === undefined ? undefined : JSON.stringify(message));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const named = response.headers['mcp-session-id'];
    if (typeof named === 'string') this.sessionId = named;
    let body = '';
    for await (const piece of response.setEncoding('utf8')) body += String(piece);
    return { status: response.statusCode ?? 0, body };
  }
}

const protocolVersion = '2025-11-25';

/** The result with this id among the events of a stream, whose other messages are for people who wait. */
function answerIn(body: string, id: number): Record<string, unknown> | undefined {
  for (const line of body.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const message = JSON.parse(line.slice('data: '.length)) as { id?: number; result?: Record<string, unknown> };
    if (message.id === id) return message.result;
  }
  return undefined;
}
