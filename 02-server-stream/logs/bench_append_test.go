package logs

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkAppend measures what the publisher pays while followers wait.
func BenchmarkAppend(b *testing.B) {
	for _, followers := range []int{0, 1, 100, 10_000} {
		b.Run(fmt.Sprintf("%d followers", followers), func(b *testing.B) {
			log := NewLog(1000)
			newest := func() uint64 {
				log.mu.Lock()
				defer log.mu.Unlock()
				return log.newest
			}
			ctx, cancel := context.WithCancel(b.Context())
			var waiting sync.WaitGroup
			for range followers {
				waiting.Go(func() {
					for seq := uint64(0); ctx.Err() == nil; seq = newest() {
						_ = log.wait(ctx, seq)
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				log.Append("INFO  checkout GET /cart 200", false)
			}
			require.EqualValues(b, b.N, newest())
			cancel()
			waiting.Wait()
		})
	}
}

// BenchmarkAppendAsleep measures one Append while all followers sleep, as
// they do if the log grows slowly. The processors have been busy until then.
// If they are idle, they have to wake up too, and an Append takes longer.
func BenchmarkAppendAsleep(b *testing.B) {
	for _, followers := range []uint64{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d followers", followers), func(b *testing.B) {
			log := NewLog(1000)
			var took []time.Duration
			for b.Loop() {
				var woken sync.WaitGroup
				after := uint64(len(took))
				others := sleeping()
				for range followers {
					woken.Go(func() { _ = log.wait(b.Context(), after) })
				}
				for sleeping() < others+followers {
					runtime.Gosched()
				}
				start := time.Now()
				log.Append("INFO  checkout GET /cart 200", false)
				took = append(took, time.Since(start))
				woken.Wait()
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[0].Nanoseconds()), "ns/append-min")
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "ns/append-median")
		})
	}
}

// sleeping returns how many goroutines wait for a lock, a channel or I/O.
func sleeping() uint64 {
	count := []metrics.Sample{{Name: "/sched/goroutines/waiting:goroutines"}}
	metrics.Read(count)
	return count[0].Value.Uint64()
}
