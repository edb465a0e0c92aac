package loopback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"time"
)

// A pair is the configuration of a server and of its client.
type pair struct{ server, client *tls.Config }

var certificates = sync.OnceValues(newPair)

// Certificates returns the configuration of a server with a certificate for
// localhost, and of a client that trusts it. The version of TLS is 1.3.
func Certificates() (server, client *tls.Config, err error) {
	p, err := certificates()
	if err != nil {
		return nil, nil, err
	}
	return p.server.Clone(), p.client.Clone(), nil
}

func newPair() (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return pair{}, err
	}
	client, err := Trust(der)
	if err != nil {
		return pair{}, err
	}
	return pair{
		server: &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
			MinVersion:   tls.VersionTLS13,
		},
		client: client,
	}, nil
}

// Trust returns the configuration of a client that trusts this certificate,
// which another process may have made with [Certificates].
func Trust(der []byte) (*tls.Config, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}, nil
}
