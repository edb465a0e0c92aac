package main

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc/status"

	"example.com/streams/internal/cli"
)

// naive shows a stream whose token is looked at once.
func naive(ctx context.Context, f *fixture) error {
	client, err := f.dial(f.clientTLS(), f.as("ada", time.Hour))
	if err != nil {
		return err
	}
	read, stop := f.follow(ctx, "ada", client)
	defer stop()
	f.log.Append("hello", false)
	read()

	say(ctx, "server", "revokes ada's token")
	f.sessions.Revoke("ada")
	f.log.Append("secret", false)
	read()
	return nil
}

// tokens shows who is refused, and what ends ada's streams.
func tokens(ctx context.Context, f *fixture) error {
	f.log.Append("hello", false)
	stranger, err := f.dial(&tls.Config{RootCAs: f.ca.Pool, ServerName: host}, f.as("eve", time.Hour))
	if err != nil {
		return err
	}
	_, err = firstEntry(ctx, stranger)
	say(ctx, "eve", "%s, for her machine has no certificate", status.Code(err))

	nobody, err := f.dial(f.clientTLS())
	if err != nil {
		return err
	}
	_, err = firstEntry(ctx, nobody)
	say(ctx, "bob", "%s", cli.Describe(err))
	return ada(ctx, f)
}

// ada follows the log until she is locked out.
func ada(ctx context.Context, f *fixture) error {
	client, err := f.dial(f.clientTLS(), f.as("ada", time.Second))
	if err != nil {
		return err
	}
	read, stop := f.follow(ctx, "ada", client)
	defer stop()
	read()
	read() // the first token expires

	say(ctx, "server", "revokes ada's token")
	f.sessions.Revoke("ada")
	read()

	say(ctx, "ada", "opens a second stream, and a third")
	readSecond, stopSecond := f.follow(ctx, "ada, 2nd", client)
	defer stopSecond()
	readSecond()
	readThird, stopThird := f.follow(ctx, "ada, 3rd", client)
	defer stopThird()
	readThird()

	say(ctx, "server", "locks ada out")
	f.locked.Store(true)
	f.sessions.Revoke("ada")
	read()
	return nil
}

// certificates shows a stream that stays on its connection, and so with the
// old certificate, until the connection is two seconds old.
func certificates(ctx context.Context, f *fixture) error {
	conf := f.clientTLS()
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		say(ctx, "dashboard", "connects; the server's certificate has serial %d", s.PeerCertificates[0].SerialNumber)
		return nil
	}
	client, err := f.dial(conf, f.as("ada", time.Hour))
	if err != nil {
		return err
	}
	read, stop := f.follow(ctx, "ada", client)
	defer stop()
	f.log.Append("hello", false)
	read()

	if err := f.renew(&f.server, host); err != nil {
		return err
	}
	say(ctx, "server", "has a new certificate")
	f.log.Append("over the old connection", false)
	read()
	read() // the connection becomes too old
	return nil
}
