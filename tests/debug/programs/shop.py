"""What a debugger is shown: values of many types, a loop, an exception."""


class Item:
    def __init__(self, name, price):
        self.name = name
        self.price = price


def total(items, discount):
    amount = 0
    for item in items:
        amount += item.price
    return amount - discount


def pay(basket, purse):
    due = total(basket, 5)
    if due > purse:
        raise ValueError("short of %d" % (due - purse))
    return purse - due


def main():
    basket = [Item("book", 30), Item("pen", 2), Item("lamp", 45)]
    left = pay(basket, 100)
    print("left", left)
    prices = {item.name: item.price for item in basket}
    pay(basket, prices["book"])


main()
