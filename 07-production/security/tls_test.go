package security

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

// The certificates of both sides are valid for an hour.
func TestStream_OutlivesItsCertificates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.life = 48 * time.Hour
		f.server.Set(f.issue(t, host, time.Hour))
		f.machine.Set(f.issue(t, "dashboard", time.Hour))
		server := f.serveLog(t)
		client := f.dial(t, server, f.as("ada"))
		stream := follow(t, client)

		time.Sleep(24 * time.Hour)
		f.log.Append("secret", false)
		_, err := stream.Recv()
		require.NoError(t, err, "the open stream")
		_, err = follow(t, client).Recv()
		require.NoError(t, err, "a new stream of the same connection")

		err = refusal(t, f.dial(t, server, f.as("ada")))
		require.Equal(t, codes.Unavailable, status.Code(err), "a new connection: got %v", err)
		require.ErrorContains(t, err, "x509: certificate has expired or is not yet valid")
	})
}

func TestConnectionAge_EndsWhatAnExpiredClientReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.life, f.age = 48*time.Hour, 2*time.Hour
		f.machine.Set(f.issue(t, "dashboard", time.Hour))
		client := f.dial(t, f.serveLog(t), f.as("ada"))
		start := time.Now()
		stream := follow(t, client)
		ended := make(chan error, 1)
		go func() {
			_, err := stream.Recv()
			ended <- err
		}()

		err := error(nil)
		for err == nil { // until a new stream needs a new connection
			time.Sleep(10 * time.Second)
			for _, err = range logs.Tail(t.Context(), client, new(logsv1.LogRequest)) {
			}
		}
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.InDelta(t, 2*60, time.Since(start).Minutes(), 12.2, "2 h, more or less 10%%")
		goaway := time.Now()

		err = <-ended
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, `debug data: "max_age"`)
		require.InDelta(t, 12, time.Since(goaway).Minutes(), 0.2, "grace")

		// The server refuses the certificate after the client believes that
		// it is connected. The client finds either the alert or the end.
		err = refusal(t, client)
		require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
		require.Regexp(t, "remote error: tls: expired certificate|read/write on closed pipe", err.Error())
	})
}

// Both sides renew their certificates each hour, and each is valid for two.
func TestFollow_RotationMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.life, f.age = 48*time.Hour, 46*time.Minute // 1.3 x 46 minutes are an hour
		renew := func() {
			f.server.Set(f.issue(t, host, 2*time.Hour))
			f.machine.Set(f.issue(t, "dashboard", 2*time.Hour))
		}
		renew()
		var expired atomic.Bool
		server := f.serve(t, stub{OnStreamLogs: func(req *logsv1.LogRequest, stream serverStream) error {
			err := (&logs.LogServer{Log: f.log}).StreamLogs(req, stream)
			if time.Now().After(Peer(stream.Context()).NotAfter) {
				expired.Store(true)
			}
			return err
		}})
		go func() {
			for i := range 8 * 60 {
				f.log.Append("a line per minute", false)
				time.Sleep(time.Minute)
				if i%60 == 59 {
					renew()
				}
			}
			f.log.Append("the last", false)
		}()
		retries := 0
		next := uint64(1)
		for e, err := range Follow(t.Context(), f.dial(t, server, f.as("ada")), &logsv1.LogRequest{Follow: true},
			func(error) { retries++ }) {
			require.NoError(t, err)
			require.Equal(t, next, e.GetSequence())
			next++
			if e.GetMessage() == "the last" {
				break
			}
		}
		require.EqualValues(t, 8*60+2, next)
		require.InDelta(t, 9, retries, 2, "connections of 41 to 51 minutes and up to 5 of grace")
		require.False(t, expired.Load(), "a connection had an expired certificate")
	})
}

// refusal opens a stream that does not come about, and returns the error.
func refusal(t *testing.T, c logsv1.LogServiceClient) error {
	t.Helper()
	stream, err := c.StreamLogs(t.Context(), &logsv1.LogRequest{})
	if err == nil {
		_, err = stream.Recv()
	}
	require.Error(t, err)
	return err
}

func TestTLS_RefusesStrangers(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil          func(*testing.T, *fixture)
		client, server string // the errors of both sides
	}{
		"client without a certificate": {
			func(_ *testing.T, f *fixture) { f.machine.Set(new(tls.Certificate)) },
			"remote error: tls: certificate required",
			"tls: client didn't provide a certificate",
		},
		"client that has loaded nothing": {
			func(_ *testing.T, f *fixture) { f.machine = new(Certificate) },
			"no certificate was loaded",
			"EOF",
		},
		"server that has loaded nothing": {
			func(_ *testing.T, f *fixture) { f.server = new(Certificate) },
			"remote error: tls: internal error",
			"no certificate was loaded",
		},
		"client of another CA": {
			func(t *testing.T, f *fixture) { f.machine.Set(newFixture(t).issue(t, "dashboard", time.Hour)) },
			"remote error: tls: unknown certificate authority",
			"x509: certificate signed by unknown authority",
		},
		"client that has expired": {
			func(t *testing.T, f *fixture) { f.machine.Set(f.issue(t, "dashboard", -time.Hour)) },
			"remote error: tls: expired certificate",
			"x509: certificate has expired or is not yet valid",
		},
		"server of another CA": {
			func(t *testing.T, f *fixture) { f.server.Set(newFixture(t).issue(t, host, time.Hour)) },
			"x509: certificate signed by unknown authority",
			"remote error: tls: bad certificate",
		},
		"server with another name": {
			func(t *testing.T, f *fixture) { f.server.Set(f.issue(t, "other.example.com", time.Hour)) },
			"x509: certificate is valid for other.example.com, not " + host,
			"remote error: tls: bad certificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				tt.spoil(t, f)
				a, b := net.Pipe()
				defer b.Close()
				accepted := make(chan error)
				go func() { accepted <- tls.Server(b, ServerTLS(f.server, f.ca.Pool)).Handshake() }()

				client := tls.Client(a, ClientTLS(f.machine, f.ca.Pool, host))
				handshake := client.Handshake()
				_, err := client.Read(make([]byte, 1))
				require.NoError(t, a.Close())

				if strings.HasPrefix(name, "client ") && tt.server != "EOF" {
					require.NoError(t, handshake, "the client believes that it is connected")
				}
				require.ErrorContains(t, err, tt.client)
				require.ErrorContains(t, <-accepted, tt.server)
			})
		})
	}
}

func TestTLS_OnOneSideOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		// The client reads the end, or still writes when the server closes.
		require.Regexp(t, `^rpc error: code = Unavailable desc = (connection error: desc = "error reading server preface: EOF"|io: read/write on closed pipe)$`,
			refusal(t, logsv1.NewLogServiceClient(f.serveLog(t).Dial(t))).Error())

		plaintext := memservertest.Serve(t, func(grpc.ServiceRegistrar) {})
		require.EqualError(t, refusal(t, f.dial(t, plaintext)),
			`rpc error: code = Unavailable desc = connection error: `+
				`desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`)
	})
}

func TestPeer_TellsTheClientWhichCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.log.Append("line", false)
		server := f.serveLog(t)
		serial := func(client logsv1.LogServiceClient) int64 {
			stream := follow(t, client)
			_, err := stream.Recv()
			require.NoError(t, err)
			return Peer(stream.Context()).SerialNumber.Int64()
		}
		old := f.dial(t, server, f.as("ada"))
		before := serial(old)
		f.server.Set(f.issue(t, host, time.Hour))
		require.Greater(t, serial(f.dial(t, server, f.as("ada"))), before)
		require.Equal(t, before, serial(old), "a new stream of the old connection")
	})
}

func TestCertificate_LoadKeepsTheOldIfItFails(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	first, second := f.issue(t, host, time.Hour), f.issue(t, host, time.Hour)
	writePEM(t, certFile, "CERTIFICATE", first.Certificate[0])
	writePEM(t, keyFile, "PRIVATE KEY", keyOf(t, first))
	cert := new(Certificate)
	require.NoError(t, cert.Load(certFile, keyFile))
	require.Equal(t, first.Leaf, cert.newest.Load().Leaf)

	writePEM(t, certFile, "CERTIFICATE", second.Certificate[0]) // the key comes later
	require.EqualError(t, cert.Load(certFile, keyFile), "tls: private key does not match public key")
	require.Equal(t, first.Leaf, cert.newest.Load().Leaf)

	writePEM(t, keyFile, "PRIVATE KEY", keyOf(t, second))
	require.NoError(t, cert.Load(certFile, keyFile))
	require.Equal(t, second.Leaf, cert.newest.Load().Leaf)

	require.NoError(t, os.Remove(keyFile))
	require.ErrorIs(t, cert.Load(certFile, keyFile), fs.ErrNotExist)
	require.Equal(t, second.Leaf, cert.newest.Load().Leaf)
}

func keyOf(t *testing.T, cert *tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	return der
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}
