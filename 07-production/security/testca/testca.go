// Package testca is a certificate authority in memory, for tests and demos.
// Nothing is written to disk, so nothing has to be protected or removed.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync/atomic"
	"time"
)

// A CA issues certificates. Its methods may be called concurrently.
type CA struct {
	Pool *x509.CertPool // trusts the certificates of this CA

	root   tls.Certificate
	serial atomic.Int64
}

// New returns a CA whose own certificate is valid for ten years.
func New() (*CA, error) {
	ca := &CA{Pool: x509.NewCertPool()}
	root, err := ca.sign(&x509.Certificate{
		Subject:  pkix.Name{CommonName: "test CA"},
		NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	})
	if err != nil {
		return nil, err
	}
	ca.root = *root
	ca.Pool.AddCert(root.Leaf)
	return ca, nil
}

// Issue returns a certificate for the host or the machine with this name,
// which is valid from now on, for the time life. The serial numbers count
// from 2.
func (ca *CA) Issue(name string, life time.Duration) (*tls.Certificate, error) {
	return ca.sign(&x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		NotAfter:    time.Now().Add(life),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
}

// sign completes the template with a key of its own, and signs it. The root
// signs itself.
func (ca *CA) sign(template *x509.Certificate) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template.SerialNumber = big.NewInt(ca.serial.Add(1))
	template.NotBefore = time.Now()
	parent, parentKey := ca.root.Leaf, ca.root.PrivateKey
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
