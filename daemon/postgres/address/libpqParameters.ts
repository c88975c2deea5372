/** How one libpq parameter is treated. Without `accepts`, every value that libpq allows is obeyed. */
export interface LibpqParameter {
  /** The environment variable that libpq reads when nothing else gives the parameter. */
  environment?: string;
  /** The only values that are accepted, because they ask for what happens anyway; an empty list refuses them all. */
  accepts?: readonly string[];
  /** Why other values are refused; completes "…, because". */
  because?: string;
}

const noGss = 'GSSAPI is not supported';
const noTcpTuning = 'Node cannot set this socket option';
const noOauth = 'OAuth logins are not supported';
const never = [] as const;

/**
 * Every parameter that libpq 18 knows (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
 * A parameter that cannot be obeyed is refused by name: an address that is silently obeyed in part connects to the
 * wrong server, or with less protection than it asks for.
 */
export const libpqParameters: Readonly<Record<string, LibpqParameter>> = {
  host: { environment: 'PGHOST' },
  hostaddr: { environment: 'PGHOSTADDR' },
  port: { environment: 'PGPORT' },
  // PGDATABASE names the application's database (`registrar env` prints it), never the registry's.
  dbname: {},
  user: { environment: 'PGUSER' },
  password: { environment: 'PGPASSWORD' },
  passfile: { environment: 'PGPASSFILE' },
  service: { environment: 'PGSERVICE' },
  servicefile: { environment: 'PGSERVICEFILE' },
  connect_timeout: { environment: 'PGCONNECT_TIMEOUT' },
  application_name: { environment: 'PGAPPNAME' },
  fallback_application_name: {},
  options: { environment: 'PGOPTIONS' },
  target_session_attrs: { environment: 'PGTARGETSESSIONATTRS' },
  channel_binding: { environment: 'PGCHANNELBINDING' },
  keepalives: {},
  keepalives_idle: {},
  sslmode: { environment: 'PGSSLMODE' },
  sslnegotiation: { environment: 'PGSSLNEGOTIATION' },
  sslrootcert: { environment: 'PGSSLROOTCERT' },
  sslcert: { environment: 'PGSSLCERT' },
  sslkey: { environment: 'PGSSLKEY' },
  sslpassword: {},
  sslcrl: { environment: 'PGSSLCRL' },
  ssl_min_protocol_version: { environment: 'PGSSLMINPROTOCOLVERSION' },
  ssl_max_protocol_version: { environment: 'PGSSLMAXPROTOCOLVERSION' },

  client_encoding: {
    environment: 'PGCLIENTENCODING',
    accepts: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'UNICODE', 'unicode'],
    because: 'text is always exchanged as UTF-8',
  },
  load_balance_hosts: {
    environment: 'PGLOADBALANCEHOSTS',
    accepts: ['disable'],
    because: 'hosts are tried in the order given',
  },
  min_protocol_version: {
    environment: 'PGMINPROTOCOLVERSION',
    accepts: ['3.0'],
    because: 'protocol version 3.0 is what is spoken',
  },
  max_protocol_version: {
    environment: 'PGMAXPROTOCOLVERSION',
    accepts: ['3.0', 'latest'],
    because: 'protocol version 3.0 is what is spoken',
  },
  replication: {
    accepts: ['false', 'off', 'no', '0'],
    because: 'a replication connection cannot run what is needed',
  },
  require_auth: {
    environment: 'PGREQUIREAUTH',
    accepts: never,
    because: 'the way to log in is left to the server; channel_binding=require excludes the weak ones',
  },
  requirepeer: {
    environment: 'PGREQUIREPEER',
    accepts: never,
    because: 'Node cannot tell who owns the other end of a socket',
  },
  sslcompression: { environment: 'PGSSLCOMPRESSION', accepts: ['0'], because: 'TLS compression is unsafe' },
  sslcertmode: {
    environment: 'PGSSLCERTMODE',
    accepts: ['allow'],
    because: 'a certificate is sent when there is one and the server asks',
  },
  sslcrldir: { environment: 'PGSSLCRLDIR', accepts: never, because: 'only one file can be read: use sslcrl' },
  sslsni: { environment: 'PGSSLSNI', accepts: ['1'], because: 'the host name is always sent' },
  sslkeylogfile: { accepts: never, because: 'TLS keys are not written to files' },
  tcp_user_timeout: { accepts: ['0'], because: noTcpTuning },
  keepalives_interval: { accepts: ['0'], because: noTcpTuning },
  keepalives_count: { accepts: ['0'], because: noTcpTuning },
  gssencmode: { environment: 'PGGSSENCMODE', accepts: ['disable', 'prefer'], because: noGss },
  gssdelegation: { environment: 'PGGSSDELEGATION', accepts: ['0'], because: noGss },
  // Both only matter to a GSSAPI login, which a server has to ask for and which then fails by its own name.
  krbsrvname: { environment: 'PGKRBSRVNAME', accepts: ['postgres'], because: noGss },
  gsslib: { environment: 'PGGSSLIB', accepts: never, because: noGss },
  scram_client_key: { accepts: never, because: 'a login needs the password itself' },
  scram_server_key: { accepts: never, because: 'a login needs the password itself' },
  oauth_issuer: { accepts: never, because: noOauth },
  oauth_client_id: { accepts: never, because: noOauth },
  oauth_client_secret: { accepts: never, because: noOauth },
  oauth_scope: { accepts: never, because: noOauth },
};
