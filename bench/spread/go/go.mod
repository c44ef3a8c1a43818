module goru/bench/spread

go 1.26
