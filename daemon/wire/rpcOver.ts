import type { Socket } from 'node:net';
import { createMessageConnection } from 'vscode-jsonrpc/node';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { SocketReader } from './socketReader.ts';
import { SocketWriter } from './socketWriter.ts';

/**
 * JSON-RPC over one socket, the same on both sides, because neither trusts the other: a malformed or too long message
 * ends the connection. Requests that wait for an answer are rejected when the connection ends.
 *
 * @param onMalformed called before the socket is destroyed for that reason
 */
export function rpcOver(socket: Socket, onMalformed: () => void): MessageConnection {
  const rpc = createMessageConnection(new SocketReader(socket), new SocketWriter(socket));
  rpc.onError(() => {
    onMalformed();
    socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    rpc.dispose();
  });
  return rpc;
}
