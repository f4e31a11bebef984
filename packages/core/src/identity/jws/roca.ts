/**
 * True if an RSA modulus has the form that gives its factors away (CVE-2017-15361, "ROCA"): the chips of many smart cards
 * and TPMs made primes that are powers of 65537 modulo every small prime, so the modulus is one too. A sound key is so
 * by chance once in 10^50.
 */
export function isRocaModulus(modulus: Uint8Array): boolean {
  const number = BigInt(`0x${Buffer.from(modulus).toString('hex')}`)
  return smallPrimes.every((prime) => isPowerOf65537(Number(number % BigInt(prime)), prime))
}

function isPowerOf65537(remainder: number, prime: number): boolean {
  let power = 1
  do {
    if (power === remainder) return true
    power = (power * 65_537) % prime
  } while (power !== 1)
  return false
}

// The first 126: moduli of 1984 bits and more were made with at least so many.
const smallPrimes: readonly number[] = primesUpTo(701)

function primesUpTo(last: number): readonly number[] {
  const primes: number[] = []
  for (let n = 2; n <= last; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes
}
