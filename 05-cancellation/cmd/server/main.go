// Command server is the exchange: it publishes ticks over TCP.
package main

import "example.com/streams/05-cancellation/cmd/internal/mains"

func main() { mains.Server() }
