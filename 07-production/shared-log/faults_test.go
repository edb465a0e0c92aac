package sharedlog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/07-production/balancing"
)

// An hour with some 275 faults. SEED=n repeats the faults of a seed, and
// SLOW=1 takes 50 seeds.
func TestFaults_EachEntryOnceForAnHour(t *testing.T) {
	seeds := []uint64{rand.Uint64()}
	if text := os.Getenv("SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		seeds[0] = seed
	} else if os.Getenv("SLOW") != "" {
		for range 49 {
			seeds = append(seeds, rand.Uint64())
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, Config{Retention: 5000}, func(t *testing.T, l *lab) { hourOfFaults(t, l, seed) })
		})
	}
}

func hourOfFaults(t *testing.T, l *lab, seed uint64) {
	names := []string{"a", "b", "c"}
	for _, name := range names {
		l.start(name)
	}
	publishing, stop := context.WithCancel(t.Context())
	following, leave := context.WithCancel(t.Context())
	var publisher, followers sync.WaitGroup
	appended := 0
	log, publisherLink := l.log()
	publisher.Go(func() { appended = publish(publishing, t, log) })
	var received [4]int
	for i := range received {
		c := l.dial(names...)
		followers.Go(func() { received[i] = follow(following, t, c) })
	}

	random := rand.New(rand.NewPCG(seed, 0))
	seconds := func(n int) { time.Sleep(time.Duration(random.IntN(n)) * time.Second) }
	faults := map[string]int{}
	for end := time.Now().Add(time.Hour); time.Now().Before(end); seconds(17) {
		name := names[random.IntN(3)]
		switch random.IntN(5) {
		case 0:
			faults["replica killed"]++
			l.kill(name)
			seconds(5)
			l.start(name)
		case 1:
			faults["link cut"]++
			l.replicas[name].link.cut()
		case 2:
			faults["link silent"]++
			l.replicas[name].link.setSilent(true)
			seconds(30)
			l.replicas[name].link.setSilent(false)
		case 3:
			faults["engine restarted"]++
			l.stopNode()
			seconds(10)
			l.startNode()
		case 4:
			faults["confirmations lost"]++
			publisherLink.dropReplies(true)
			seconds(10)
			publisherLink.dropReplies(false)
		}
	}
	stop()
	publisher.Wait()
	time.Sleep(time.Minute)
	leave()
	followers.Wait()
	t.Logf("%d entries; faults: %v", appended, faults)
	require.Equal(t, [4]int{appended, appended, appended, appended}, received)
}

// publish appends the lines 1, 2, 3, ... until ctx is done, and returns how
// many.
func publish(ctx context.Context, t *testing.T, log *Log) (n int) {
	for ctx.Err() == nil {
		n++
		if _, err := log.Append(context.Background(), fmt.Sprint(n), fmt.Sprint(n), false); err != nil {
			t.Error(err)
			return n
		}
		sleep(ctx, time.Second)
	}
	return n
}

// follow returns how many entries a follower has received until ctx is done.
// The lines must be 1, 2, 3, ...
func follow(ctx context.Context, t *testing.T, c logsv1.LogServiceClient) (n int) {
	for e, err := range balancing.Follow(ctx, c, 0) {
		if ctx.Err() != nil {
			return n
		}
		if err != nil {
			t.Errorf("a follower ended after entry %d: %v", n, err)
			return n
		}
		if n++; e.GetSequence() != uint64(n) || e.GetMessage() != fmt.Sprint(n) {
			t.Errorf("entry %d with line %s, want entry and line %d", e.GetSequence(), e.GetMessage(), n)
			return n
		}
	}
	return n
}
