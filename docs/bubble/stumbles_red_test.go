package bubble

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
	"example.com/streams/internal/memserver"
)

func TestRed_Parallel(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) { t.Parallel() })
}

func TestRed_Subtest(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		t.Run("inside", func(*testing.T) {})
	})
}

func TestRed_Sleeper(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(*testing.T) {
		go time.Sleep(time.Second)
	})
}

func TestRed_WaitOutside(t *testing.T) {
	onlyRed(t)
	synctest.Wait()
}

func TestRed_ServerOutside(t *testing.T) {
	onlyRed(t)
	server := memserver.Serve(register(&Server{}))
	synctest.Test(t, func(t *testing.T) {
		conn, err := server.NewClient()
		require.NoError(t, err)
		defer conn.Close()
		_, err = Numbers(t.Context(), pitfallsv1.NewPitfallServiceClient(conn), 3)
		require.NoError(t, err)
	})
}

func TestRed_ChannelOutlives(t *testing.T) {
	onlyRed(t)
	var c chan int
	synctest.Test(t, func(*testing.T) { c = make(chan int, 1) })
	c <- 1
}

func TestRed_FirstLookup(t *testing.T) {
	onlyRed(t)
	net.DefaultResolver = &net.Resolver{
		PreferGo: true,
		Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") },
	}
	synctest.Test(t, func(*testing.T) { _, _ = net.LookupHost("bufnet") })
	_, _ = net.LookupHost("bufnet")
}

func TestRed_RequireElsewhere(t *testing.T) {
	onlyRed(t)
	synctest.Test(t, func(t *testing.T) {
		client, done := dial(t, &Server{}), make(chan bool)
		go func() {
			got, err := Numbers(t.Context(), client, 3)
			require.NoError(t, err)                 //nolint:testifylint // this test shows what happens
			require.Equal(t, []int64{0, 1, 2}, got) //nolint:testifylint // as above
			close(done)
		}()
		<-done
	})
}

// Of 100 bubbles, some wake b first.
func TestRed_SameTime(t *testing.T) {
	onlyRed(t)
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			woken := make(chan string, 2)
			for _, name := range []string{"a", "b"} {
				go func() { time.Sleep(time.Second); woken <- name }()
			}
			if got := <-woken + <-woken; got != "ab" {
				t.Fatalf("woken: %s, want ab", got)
			}
		})
	}
}
