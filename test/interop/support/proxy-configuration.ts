// The least that each proxy needs around the lines that the documentation gives for it.
import { readFileSync } from 'node:fs'

/** Where a proxy finds what it needs, and whom it calls. */
export interface ProxyPlace {
  readonly folder: string
  /** The unpacked Debian package. */
  readonly parts: string
  readonly port: number
  /** Port of the service, or the path of its socket. */
  readonly service: string
}

export interface ProxyKind {
  readonly name: 'nginx' | 'haproxy' | 'apache2' | 'caddy'
  readonly program: string
  arguments(configuration: string, place: ProxyPlace): readonly string[]
  configuration(place: ProxyPlace): string
}

const page = readFileSync(new URL('../../../docs/forwarded-certificates.md', import.meta.url), 'utf8')

/** The first block below a heading of the page. */
function documented(heading: string): string {
  const [, section = ''] = page.split(`### ${heading}\n`)
  const [, block] = /```\w+\n([^]*?)```/.exec(section) ?? []
  if (block === undefined) throw new Error(`expected a block below ${heading}`)
  return block
}

/** The secret by which HAProxy is known in these tests. */
export const proxySecret = 'k3yLmZ0Q8vTt1xWfN5uHc7rBp2dGs9aE4jYi6oXw'

const nginx: ProxyKind = {
  name: 'nginx',
  program: 'usr/sbin/nginx',
  arguments: (file, { folder }) => ['-p', `${folder}/`, '-c', file, '-e', 'stderr'],
  // It calls the service by mutual TLS, with a certificate of its own.
  configuration: ({ folder, port, service }) => `
    daemon off; master_process off; pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      large_client_header_buffers 4 16k;
      underscores_in_headers on;
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${folder}/server.crt; ssl_certificate_key ${folder}/server.key;
        ssl_client_certificate ${folder}/roots.crt; ssl_verify_client optional; ssl_verify_depth 3;
        location / {
          ${documented('nginx')}
          proxy_http_version 1.1;
          proxy_pass https://127.0.0.1:${service};
          proxy_ssl_certificate ${folder}/gateway.crt; proxy_ssl_certificate_key ${folder}/gateway.key;
        }
      }
    }`,
}

const haproxy: ProxyKind = {
  name: 'haproxy',
  program: 'usr/sbin/haproxy',
  arguments: (file) => ['-f', file],
  // It is known by a secret.
  configuration: ({ folder, port, service }) => `
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend tls
  bind 127.0.0.1:${port} ssl crt ${folder}/server.pem ca-file ${folder}/roots.crt verify optional
${documented('HAProxy')}
  http-request set-header X-Proxy-Secret ${proxySecret}
  default_backend service
backend service
  server one 127.0.0.1:${service}
`,
}

const apache: ProxyKind = {
  name: 'apache2',
  program: 'usr/sbin/apache2',
  arguments: (file, { folder }) => ['-d', folder, '-f', file, '-DFOREGROUND'],
  configuration: ({ folder, parts, port, service }) => `
ServerRoot "${folder}"
ServerName localhost
PidFile apache.pid
ErrorLog "|/bin/cat"
Listen 127.0.0.1:${port}
${['mpm_event', 'authz_core', 'ssl', 'socache_shmcb', 'headers', 'proxy', 'proxy_http']
  .map((name) => `LoadModule ${name}_module ${parts}/usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
DefaultRuntimeDir "${folder}"
Mutex file:${folder} default
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
<VirtualHost 127.0.0.1:${port}>
  SSLEngine on
  SSLCertificateFile "${folder}/server.crt"
  SSLCertificateKeyFile "${folder}/server.key"
  SSLCACertificateFile "${folder}/roots.crt"
  SSLVerifyClient optional
  SSLVerifyDepth 3
  ${documented('Apache httpd')}
  ProxyPass "/" "http://127.0.0.1:${service}/"
</VirtualHost>
`,
}

const caddy: ProxyKind = {
  name: 'caddy',
  program: 'usr/bin/caddy',
  arguments: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  // It calls the service by a unix socket.
  configuration: ({ folder, port, service }) => `
{
	admin off
	auto_https off
	storage file_system {
		root ${folder}/caddy
	}
}
https://localhost:${port} {
	bind 127.0.0.1
	tls ${folder}/server.crt ${folder}/server.key {
		client_auth {
			mode verify_if_given
			trusted_ca_cert_file ${folder}/roots.crt
		}
	}
	${documented('Caddy')}
	reverse_proxy unix/${service}
}
`,
}

export const proxyKinds = { nginx, haproxy, apache, caddy }
