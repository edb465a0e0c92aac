package security

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// A Certificate can be replaced while a server or a client uses it. Each
// full handshake takes the newest; connections that are open keep the one that
// they began with. Its methods may be called concurrently.
type Certificate struct {
	newest atomic.Pointer[tls.Certificate]
}

// Set replaces the certificate.
func (c *Certificate) Set(pair *tls.Certificate) { c.newest.Store(pair) }

// Load replaces the certificate by that of two PEM files. If they cannot be
// read, or do not belong together, Load returns an error and the certificate
// stays. Call Load before the first handshake, and then again from time to
// time, such as once a minute.
func (c *Certificate) Load(certFile, keyFile string) error {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	c.Set(&pair)
	return nil
}

func (c *Certificate) get() (*tls.Certificate, error) {
	if pair := c.newest.Load(); pair != nil {
		return pair, nil
	}
	return nil, errors.New("no certificate was loaded") // a client would panic on nil
}

// ServerTLS returns the configuration of a server that shows the certificate
// cert, and accepts only clients with a certificate that clients trusts.
// Clients must be a private CA: everybody whom it trusts may connect.
func ServerTLS(cert *Certificate, clients *x509.CertPool) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs:  clients,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return cert.get()
		},
	}
}

// ClientTLS returns the configuration of a client that shows the certificate
// cert, and talks only to a server whose certificate servers trusts and is
// valid for the name.
func ClientTLS(cert *Certificate, servers *x509.CertPool, name string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ServerName: name,
		RootCAs:    servers,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return cert.get()
		},
	}
}

// Peer returns the verified certificate of the other side of a call, or nil if
// the call has none. A handler passes the context of its stream, and a client
// that of stream.Context.
func Peer(ctx context.Context) *x509.Certificate {
	p, _ := peer.FromContext(ctx)
	if p == nil {
		return nil
	}
	info, _ := p.AuthInfo.(credentials.TLSInfo)
	if len(info.State.VerifiedChains) == 0 {
		return nil
	}
	return info.State.VerifiedChains[0][0]
}
